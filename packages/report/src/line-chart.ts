import { chartSvg } from './chart-svg.ts'

/** Points of one line: x rises. */
export interface ChartSeries {
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

/** What a chart shows. */
export interface LineChart {
  readonly title: string
  readonly xTitle: string
  readonly series: readonly ChartSeries[]
}

/** Size of the plotted area in pixels. */
const size = { width: 420, height: 180 } as const

/** Points that a line has at most: a long run is thinned to means of equal stretches, or its SVG would hold every step. */
const maxPoints = 400

/**
 * Draws lines as an SVG picture, with a legend where there are several (Vega-Lite). Values that are not finite leave gaps.
 *
 * @returns an `<svg>` element as text
 */
export async function lineChartSvg({ title, xTitle, series }: LineChart): Promise<string> {
  const values = series.flatMap(({ name, points }) => thinned(points).map(point => ({ ...point, name })))
  return chartSvg({
    title: { text: title, anchor: 'start' },
    ...size,
    data: { values: values.filter(({ y }) => Number.isFinite(y)) },
    mark: { type: 'line', strokeWidth: 1.5, clip: true },
    encoding: {
      x: { field: 'x', type: 'quantitative', title: xTitle, scale: { nice: false } },
      y: { field: 'y', type: 'quantitative', title: null, scale: { zero: false } },
      ...(series.length > 1 && {
        color: { field: 'name', type: 'nominal', title: null, sort: series.map(({ name }) => name) },
      }),
    },
  })
}

/** Means of equal stretches, where there are more points than a picture can show. */
function thinned(points: ChartSeries['points']): ChartSeries['points'] {
  if (points.length <= maxPoints) return points
  const stretch = points.length / maxPoints
  return Array.from({ length: maxPoints }, (_, i) => {
    const part = points.slice(Math.floor(i * stretch), Math.floor((i + 1) * stretch))
    const meanOf = (pick: (point: { x: number; y: number }) => number): number =>
      part.reduce((sum, point) => sum + pick(point), 0) / part.length
    return { x: meanOf(({ x }) => x), y: meanOf(({ y }) => y) }
  })
}
