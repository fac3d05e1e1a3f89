import { defineCommand } from '../command.ts'
import { cliErrors } from '../errors.ts'
import { textTable } from '../text-table.ts'

/** `qoq data query`: questions about an index, in SQL. */
export const queryCommand = defineCommand({
  meta: {
    name: 'query',
    description:
      'Ask an index by SQL (DuckDB, the package @duckdb/node-api): the table `samples` has its columns; answer, labels, modality and files are lists.',
    examples: [
      'qoq data query "SELECT split, count(*) FROM samples GROUP BY split" --index data/georgia.parquet',
      `qoq data query "SELECT id FROM samples WHERE list_contains(answer, 'STTC') LIMIT 5" --index data/ecg.parquet --json`,
    ],
  },
  args: {
    sql: { type: 'positional', required: true, description: 'what is asked; it reads the indexes and nothing else' },
    index: { type: 'strings', value: 'FILE', description: 'Parquet index; repeat it for every shard' },
  },
  run: async ({ args, input, output }) => {
    if (args.index.length === 0) throw cliErrors.ARGUMENT_MISSING({ name: '--index FILE', command: 'qoq data query' })
    const { queryIndex } = await import('@qoq-med/data-climb')
    const rows = (
      await queryIndex(
        args.index.map(file => input.resolve(file)),
        args.sql,
      )
    ).map(plainRow)
    output.results(rows, () => queryTable(rows))
  },
})

type Row = Readonly<Record<string, unknown>>

/** Counts are 64-bit integers: numbers where they are exact, texts beyond. */
function plainRow(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainValue(value)]))
}

function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  return Array.isArray(value) ? value.map(plainValue) : value
}

function queryTable(rows: readonly Row[]): string {
  const [first] = rows
  if (!first) return 'No rows.'
  return textTable([Object.keys(first), ...rows.map(row => Object.values(row).map(cell))])
}

function cell(value: unknown): string {
  if (Array.isArray(value)) return value.map(cell).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
