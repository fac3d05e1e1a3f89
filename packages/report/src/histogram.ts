import { chartSvg } from './chart-svg.ts'

/** What a histogram shows. */
export interface Histogram {
  readonly title: string
  readonly xTitle: string
  /** Values in [0, 1]. */
  readonly values: readonly number[]
  /** Equal bins over [0, 1]; 20 by default. */
  readonly bins?: number
}

/**
 * Draws how often shares in [0, 1] occur, in equal bins; 1 lies in the last bin (Vega-Lite).
 *
 * @returns an `<svg>` element as text
 */
export async function histogramSvg({ title, xTitle, values, bins = 20 }: Histogram): Promise<string> {
  const counts = Array.from({ length: bins }, () => 0)
  for (const value of values) counts[Math.min(bins - 1, Math.max(0, Math.floor(value * bins)))]!++ // kept inside
  return chartSvg({
    title: { text: title, anchor: 'start' },
    width: 420,
    height: 180,
    data: { values: counts.map((count, bin) => ({ from: bin / bins, to: (bin + 1) / bins, count })) },
    mark: 'bar',
    encoding: {
      x: { field: 'from', bin: { binned: true, step: 1 / bins }, type: 'quantitative', title: xTitle },
      x2: { field: 'to' },
      y: { field: 'count', type: 'quantitative', title: null },
    },
  })
}
