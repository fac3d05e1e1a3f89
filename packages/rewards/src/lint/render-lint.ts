import type { LintReport, LintRow } from './lint-reward.ts'

/** Writes a lint report as text: the honest answers first, then a line per probe, the worst case of each. */
export function renderLint({ honest, rows, ordersHonestAnswers }: LintReport): string {
  const found = rows.filter(({ verdict }) => verdict !== 'ok').length
  return [
    `right ${figure(honest.right)}   wrong ${figure(honest.wrong)}   right without evidence ${figure(honest.unsupported)}`,
    ...(ordersHonestAnswers ? [] : ['Right answers are not worth more than wrong ones on every question.']),
    '',
    ...table([['probe', 'pays', 'honest', 'gain', 'verdict', 'worst on'], ...rows.map(lineOf)]),
    '',
    ...rows.filter(({ verdict }) => verdict !== 'ok').map(({ probe, about }) => `${probe}: ${about}`),
    found === 0
      ? 'No probe is paid more than an honest answer.'
      : `${found} of ${rows.length} probes are worth a look.`,
  ].join('\n')
}

function lineOf({ probe, gain, verdict, worst }: LintRow): readonly string[] {
  const pay = worst === undefined ? ['-', '-', '-'] : [figure(worst.score), figure(worst.baselineScore), signed(gain)]
  return [probe, ...pay, worst?.failure ?? verdict, worst?.question ?? 'no question']
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function figure(value: number): string {
  return value.toFixed(3)
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(3)}`
}
