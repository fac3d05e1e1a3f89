import { chartSvg } from './chart-svg.ts'

/** What a heat map shows: a square of counts, such as a confusion matrix. */
export interface HeatMap {
  readonly title: string
  readonly xTitle: string
  readonly yTitle: string
  /** [C] names of rows and columns. */
  readonly names: readonly string[]
  /** [C * C] row by row. */
  readonly counts: readonly number[]
}

/**
 * Draws counts as a square of cells with their numbers; the colour is the share of the row (Vega-Lite).
 *
 * @returns an `<svg>` element as text
 */
export async function heatMapSvg({ title, xTitle, yTitle, names, counts }: HeatMap): Promise<string> {
  const sums = names.map((_, row) => names.reduce((sum, _name, column) => sum + cell(counts, names, row, column), 0))
  const values = names.flatMap((rowName, row) =>
    names.map((columnName, column) => {
      const count = cell(counts, names, row, column)
      const share = sums[row] ? count / sums[row] : 0
      return { row: rowName, column: columnName, count, share }
    }),
  )
  const order = [...names]
  const y = { field: 'row', type: 'nominal', title: yTitle, sort: order, axis: { labelLimit: 180 } } as const
  const x = { field: 'column', type: 'nominal', title: xTitle, sort: order, axis: { labelLimit: 180 } } as const
  return chartSvg({
    title: { text: title, anchor: 'start' },
    width: { step: 34 },
    height: { step: 34 },
    data: { values },
    encoding: { x, y },
    layer: [
      {
        mark: 'rect',
        encoding: {
          color: { field: 'share', type: 'quantitative', legend: null, scale: { scheme: 'blues', domain: [0, 1] } },
        },
      },
      {
        mark: { type: 'text', fontSize: 11 },
        encoding: {
          text: { field: 'count', type: 'quantitative' },
          color: { condition: { test: 'datum.share > 0.5', value: 'white' }, value: 'black' },
        },
      },
    ],
  })
}

function cell(counts: readonly number[], names: readonly string[], row: number, column: number): number {
  return counts[row * names.length + column] ?? 0
}
