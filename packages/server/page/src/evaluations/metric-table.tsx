interface Interval {
  readonly lower: number | null
  readonly upper: number | null
}

type MetricRow = Readonly<Record<string, unknown>>

/** What the page shows of results.json. */
export interface EvaluationResults {
  readonly policy?: string
  readonly metrics?: { readonly datasets?: Readonly<Record<string, MetricRow>>; readonly overall?: MetricRow }
  readonly intervals?: {
    readonly datasets?: Readonly<Record<string, Readonly<Record<string, Interval>>>>
    readonly overall?: Readonly<Record<string, Interval>>
  }
}

const columns = [
  ['accuracy', 'Balanced accuracy'],
  ['f1', 'Macro F1'],
  ['exactMatch', 'Exact match'],
] as const

/** Metrics of every dataset and overall, with their intervals. */
export function MetricTable({ results: { policy, metrics, intervals } }: { results: EvaluationResults }) {
  const rows = [
    ...Object.entries(metrics?.datasets ?? {}).map(([name, row]) => ({
      name,
      row,
      spans: intervals?.datasets?.[name],
    })),
    ...(metrics?.overall ? [{ name: 'overall', row: metrics.overall, spans: intervals?.overall }] : []),
  ]
  return (
    <div class="table" tabIndex={0} role="group" aria-label="Table of metrics, scrolls sideways">
      <table>
        <caption>{`Metrics of ${policy ?? 'a policy'}; in brackets 95 % intervals by patient`}</caption>
        <thead>
          <tr>
            <th scope="col">Dataset</th>
            <th scope="col">Answers</th>
            {columns.map(([field, title]) => (
              <th key={field} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, row, spans }) => (
            <tr key={name}>
              <th scope="row">{name.replaceAll('_', ' ')}</th>
              <td>{share(row['support'], 0)}</td>
              {columns.map(([field]) => (
                <td key={field}>{`${share(row[field])} ${spanText(spans?.[field])}`}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function share(value: unknown, digits = 3): string {
  return typeof value === 'number' ? value.toFixed(digits) : 'unknown'
}

function spanText(interval: Interval | undefined): string {
  if (!interval || interval.lower === null || interval.upper === null) return ''
  return `(${share(interval.lower)} to ${share(interval.upper)})`
}
