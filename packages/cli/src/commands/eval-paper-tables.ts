import type { PaperClaim, PrintedRow, TableCheck } from '@qoq-med/eval'
import { defineCommand } from '../command.ts'
import { share, textTable } from '../text-table.ts'

/** `qoq eval paper-tables`: the paper's numbers, whether they fit together, and what its sentences make of them. */
export const paperTablesCommand = defineCommand({
  meta: {
    name: 'paper-tables',
    description:
      "Print the paper's tables 2 to 4, recompute them from tables 6 to 12, and check its sentences on them.",
    examples: ['qoq eval paper-tables', 'qoq eval paper-tables --json'],
  },
  args: {},
  run: async ({ output }) => {
    const { table2, table3, table4, tableColumns, reproduceTables, paperClaims } = await import('@qoq-med/eval')
    const [checks, claims] = [reproduceTables(), paperClaims()]
    output.result({ table2, table3, table4, columns: tableColumns, checks, claims }, () =>
      [
        'Table 2 (accuracy, F1)',
        printedTable(table2, tableColumns),
        '',
        'Table 4 (accuracy, F1)',
        printedTable(table4, tableColumns),
        '',
        'Table 3 (MIMIC-IV)',
        textTable([
          ['', 'stay accuracy', 'stay F1', 'mortality accuracy', 'mortality F1'],
          ...table3.map(({ method, stay, mortality }) => [
            method,
            ...[stay.accuracy, stay.f1, mortality.accuracy, mortality.f1].map(share),
          ]),
        ]),
        '',
        checksText(checks),
        '',
        'What the paper says, and what its tables say:',
        ...claims.map(claimText),
      ].join('\n'),
    )
  },
})

function printedTable(rows: readonly PrintedRow[], columns: readonly string[]): string {
  return textTable([
    ['', ...columns],
    ...rows.map(({ method, accuracy, f1 }) => [
      method,
      ...accuracy.map((value, index) => `${cell(value)} ${cell(f1[index]!)}`), // as many as accuracies
    ]),
  ])
}

function cell(value: number): string {
  return Number.isFinite(value) ? share(value) : '–'
}

function checksText(checks: readonly TableCheck[]): string {
  const wrong = checks.filter(({ agrees }) => !agrees)
  const lines = wrong.map(
    ({ place, printed, aggregated }) => `- ${place}: printed ${printed}, from its rows ${aggregated}`,
  )
  return [
    `${checks.length - wrong.length} of ${checks.length} means come out of their rows to the printed digits (tables 6-12 among themselves, and as rows of tables 2 and 4).`,
    ...lines,
  ].join('\n')
}

function claimText({ claim, tables, agrees }: PaperClaim): string {
  return `- ${agrees ? 'agrees' : 'differs'}: ${claim}; the tables: ${tables}`
}
