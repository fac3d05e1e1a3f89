import { chartSvg } from './chart-svg.ts'

/** One value with the ends of its interval; ends that are not finite are not drawn. */
export interface IntervalPoint {
  /** The row of the chart. */
  readonly name: string
  /** What a colour stands for, where a row has several points. */
  readonly series?: string
  readonly value: number
  readonly lower: number
  readonly upper: number
}

/** What a chart of intervals shows. */
export interface IntervalChart {
  readonly title: string
  readonly xTitle: string
  readonly points: readonly IntervalPoint[]
  /** Draws a vertical line here, such as 0 for differences. */
  readonly mark?: number
}

/**
 * Draws values with their intervals, a row each, in the given order (Vega-Lite).
 *
 * @returns an `<svg>` element as text
 */
export async function intervalChartSvg({ title, xTitle, points, mark }: IntervalChart): Promise<string> {
  const rows = [...new Set(points.map(({ name }) => name))]
  const series = [...new Set(points.flatMap(point => point.series ?? []))]
  const y = { field: 'name', type: 'nominal', title: null, sort: rows, axis: { labelLimit: 260 } } as const
  const bySeries =
    series.length > 1
      ? {
          yOffset: { field: 'series', sort: series },
          color: { field: 'series', type: 'nominal' as const, title: null, sort: series },
        }
      : {}
  const x = (field: string) => ({ field, type: 'quantitative', title: xTitle, scale: { zero: false } }) as const
  const values = points.filter(({ value }) => Number.isFinite(value)).map(point => ({ ...point }))
  const drawn = values.filter(({ lower, upper }) => Number.isFinite(lower) && Number.isFinite(upper))
  return chartSvg({
    title: { text: title, anchor: 'start' },
    width: 420,
    height: { step: 12 + 10 * Math.max(1, series.length) },
    layer: [
      ...(mark === undefined
        ? []
        : [
            {
              data: { values: [{ mark }] },
              mark: { type: 'rule' as const, color: '#888', strokeDash: [4, 3] },
              encoding: { x: { field: 'mark', type: 'quantitative' } as const },
            },
          ]),
      ...(drawn.length === 0
        ? []
        : [
            {
              data: { values: drawn },
              mark: { type: 'rule' as const, strokeWidth: 2 },
              encoding: { y, ...bySeries, x: x('lower'), x2: { field: 'upper' } },
            },
          ]),
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 50, opacity: 1 },
        encoding: { y, ...bySeries, x: x('value') },
      },
    ],
  })
}
