import type { PairedDifference, RunComparison } from '@qoq-med/eval'
import { defineCommand } from '../command.ts'
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
    output.result(comparison, () => comparisonTable(comparison))
  },
})

function comparisonTable({ policies, samples, leftOut, differences, exactMatch }: RunComparison): string {
  const { datasets, domains, overall } = differences
  const rows = Object.entries({ ...datasets, ...domains, overall })
  const tests = Object.entries(exactMatch).map(
    ([dataset, { onlyFirst, onlySecond, pValue }]) =>
      `${dataset}: only the first right ${onlyFirst}, only the second ${onlySecond}, p ${pValue.toPrecision(2)}`,
  )
  return [
    `${policies[1]} minus ${policies[0]}, over ${samples} samples (${leftOut} left out)`,
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

function differenceText({ mean, lower, upper, pValue }: PairedDifference): string {
  return `${signedNumber(mean)} [${signedNumber(lower)}, ${signedNumber(upper)}] p ${pValue.toFixed(3)}`
}
