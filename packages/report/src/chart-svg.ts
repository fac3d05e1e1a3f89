import type { TopLevelSpec } from 'vega-lite'

/** Text, axes and colours that every chart shares. */
const look = { view: { stroke: null }, font: 'system-ui, sans-serif', axis: { grid: true, gridColor: '#eee' } } as const

/**
 * Draws a Vega-Lite specification as an SVG picture; nothing is loaded from anywhere.
 *
 * @returns an `<svg>` element as text
 */
export async function chartSvg(spec: TopLevelSpec): Promise<string> {
  const [{ parse, View, Warn }, { compile }] = await Promise.all([import('vega'), import('vega-lite')])
  const compiled = compile({ $schema: 'https://vega.github.io/schema/vega-lite/v6.json', ...spec, config: look })
  const view = new View(parse(compiled.spec), { renderer: 'none', logLevel: Warn })
  const svg = await view.toSVG()
  view.finalize()
  return svg
}
