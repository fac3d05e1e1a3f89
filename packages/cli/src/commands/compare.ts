import type { PairedDifference, RunComparison } from '@qoq-med/eval'
import { defineCommand } from '../command.ts'
import { pValueText } from '../p-value-text.ts'
import { signedNumber } from '../signed-number.ts'
import { textTable } from '../text-table.ts'

/** `qoq compare`: the paired differences of two evaluations. */
export const compareCommand = defineCommand({
  meta: {
    name: 'compare',
    description: 'Compare two evaluations over the samples that both answered: paired differences with intervals.',
    examples: ['qoq compare runs/eval-grpo runs/eval-drpo'],
  },
  args: {
    first: { type: 'positional', required: true, description: 'folder of one `qoq eval`' },
    second: { type: 'positional', required: true, description: 'folder of the other' },
    seed: { type: 'number', value: 'N', integer: true, min: 0, default: 42, description: 'seed of the bootstrap' },
    resamples: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 1,
      default: 1000,
      description: 'redraws of the bootstrap',
    },
  },
  run: async ({ args, input, output }) => {
    const { compareRuns } = await import('@qoq-med/eval')
    const { seed, resamples } = args
    const comparison = await compareRuns(input.resolve(args.first), input.resolve(args.second), { seed, resamples })
    const names = distinctNames(comparison.policies, [args.first, args.second])
    output.result(comparison, () => comparisonTable(comparison, names))
  },
})

/** The policies' names, or the folders' where both policies have one name. */
function distinctNames(
  policies: readonly [string, string],
  folders: readonly [string, string],
): readonly [string, string] {
  return policies[0] === policies[1] ? folders : policies
}

function comparisonTable(
  { samples, leftOut, differences, exactMatch }: RunComparison,
  [first, second]: readonly [string, string],
): string {
  const { datasets, domains, overall } = differences
  const rows = Object.entries({ ...datasets, ...domains, overall })
  const tests = Object.entries(exactMatch).map(
    ([dataset, { onlyFirst, onlySecond, pValue }]) =>
      `${dataset}: only ${first} right ${onlyFirst}, only ${second} right ${onlySecond}, p ${pValue.toPrecision(2)}`,
  )
  return [
    `Differences are ${second} minus ${first}, over ${samples} samples (${leftOut} left out); above 0, ${second} is better.`,
    '',
    textTable([
      ['', 'accuracy', 'F1', 'exact match'],
      ...rows.map(([name, one]) => [name, ...[one.accuracy, one.f1, one.exactMatch].map(differenceText)]),
    ]),
    '',
    'Exactly right answers (McNemar):',
    ...tests,
  ].join('\n')
}

function differenceText(difference: PairedDifference): string {
  const { mean, lower, upper } = difference
  const interval = Number.isFinite(lower) ? `[${signedNumber(lower)}, ${signedNumber(upper)}]` : '[cannot be drawn]'
  return `${signedNumber(mean)} ${interval} ${pValueText(difference)}`
}
