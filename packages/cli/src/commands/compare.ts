import { existsSync } from 'node:fs'
import path from 'node:path'
import type { GapDifference, PairedDifference, RunComparison } from '@qoq-med/eval'
import { defineCommand } from '../command.ts'
import type { CommandInput } from '../command-input.ts'
import { compareTrainingRuns } from '../training-comparison.ts'
import { cliErrors } from '../errors.ts'
import { writePage } from '../output-file.ts'
import { pValueText } from '../p-value-text.ts'
import { signedNumber } from '../signed-number.ts'
import { textTable } from '../text-table.ts'

/** `qoq compare`: the paired differences of two evaluations. */
export const compareCommand = defineCommand({
  meta: {
    name: 'compare',
    description:
      'Compare evaluations with a first one, over the samples that both answered: paired differences with intervals; or training runs: their curves and what they reached.',
    examples: [
      'qoq compare runs/eval-grpo runs/eval-drpo',
      'qoq compare runs/eval-sft runs/eval-grpo runs/eval-drpo --html runs/compared.html',
      'qoq compare runs/grpo runs/drpo --html runs/trainings.html',
    ],
  },
  args: {
    first: { type: 'positional', required: true, description: 'folder of one `qoq eval`, or of one `qoq train`' },
    others: { type: 'positionals', description: 'folders of the others' },
    html: { type: 'string', value: 'FILE', description: 'write the comparison as an HTML page, too' },
    minPatients: {
      type: 'number',
      value: 'N',
      integer: true,
      min: 1,
      default: 20,
      description: 'subgroups of fewer patients are not compared',
    },
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
    const { first, others, seed, resamples, minPatients } = args
    if (others.length === 0) throw cliErrors.ARGUMENT_MISSING({ name: 'OTHERS', command: 'qoq compare' })
    const html = args.html === undefined ? undefined : input.resolve(args.html)
    if (areTrainings([first, ...others], input))
      return compareTrainingRuns(
        [first, ...others].map(folder => input.resolve(folder)),
        html,
        output,
      )
    const { compareRuns, renderComparisonReport } = await import('@qoq-med/eval')
    const comparisons: RunComparison[] = []
    for (const other of others)
      comparisons.push(await compareRuns(input.resolve(first), input.resolve(other), { seed, resamples, minPatients }))
    const named = comparisons.map((comparison, index) => ({
      ...comparison,
      policies: distinctNames(comparison.policies, [first, others[index]!]), // one for each
    }))
    if (html !== undefined) await writePage(html, await renderComparisonReport(named))
    // One comparison is the document that scripts read since the first version.
    const [only] = comparisons
    output.result(comparisons.length === 1 ? only : comparisons, () => named.map(comparisonTable).join('\n\n'))
  },
})

/** Whether all folders are of training runs. @throws CLI_VALUE_INVALID where some are */
function areTrainings(folders: readonly string[], { resolve }: Pick<CommandInput, 'resolve'>): boolean {
  const isTraining = (folder: string): boolean => existsSync(path.join(resolve(folder), 'run.json'))
  const other = folders.find(folder => !isTraining(folder))
  if (other === undefined) return true
  if (!folders.some(isTraining)) return false
  throw cliErrors.VALUE_INVALID({ name: 'OTHERS', value: other, expected: 'a training run as the others are' })
}

/** The policies' names, or the folders' where both policies have one name. */
function distinctNames(
  policies: readonly [string, string],
  folders: readonly [string, string],
): readonly [string, string] {
  return policies[0] === policies[1] ? folders : policies
}

function comparisonTable({ policies, samples, leftOut, differences, exactMatch, fairness }: RunComparison): string {
  const [first, second] = policies
  const { datasets, domains, overall } = differences
  const rows = Object.entries({ ...datasets, ...domains, overall })
  const tests = Object.entries(exactMatch).map(
    ([dataset, { onlyFirst, onlySecond, pValue, adjustedP }]) =>
      `${dataset}: only ${first} right ${onlyFirst}, only ${second} right ${onlySecond}, p ${pValue.toPrecision(2)}, corrected ${adjustedP.toPrecision(2)}`,
  )
  return [
    `Differences are ${second} minus ${first}, over ${samples} samples (${leftOut} left out); above 0, ${second} is better.`,
    '',
    textTable([
      ['', 'accuracy', 'F1', 'exact match', 'smallest F1 difference found'],
      ...rows.map(([name, one]) => [
        name,
        ...[one.accuracy, one.f1, one.exactMatch].map(differenceText),
        Number.isNaN(one.f1.detectable) ? 'unknown' : one.f1.detectable.toFixed(3),
      ]),
    ]),
    'The last column is what this many patients show with 80 % power; p of datasets and domains corrected by Holm is in --json and --html.',
    '',
    'Exactly right answers (McNemar):',
    ...tests,
    ...(fairness.length > 0 ? ['', 'Gaps between subgroups:', ...fairness.map(gapText)] : []),
  ].join('\n')
}

function differenceText(difference: PairedDifference): string {
  const { observed, lower, upper } = difference
  const interval = Number.isFinite(lower) ? `[${signedNumber(lower)}, ${signedNumber(upper)}]` : '[cannot be drawn]'
  return `${signedNumber(observed)} ${interval} ${pValueText(difference)}`
}

function gapText({ dataset, attribute, measure, difference, lower, upper, pValue, adjustedP }: GapDifference): string {
  return `${dataset}, ${attribute}, ${measure}: ${signedNumber(difference)} [${signedNumber(lower)}, ${signedNumber(upper)}], p ${pValue.toPrecision(2)}, corrected ${adjustedP.toPrecision(2)}`
}
