import { warmStart, type ExperimentArm } from './experiment-arm.ts'
import { mean } from '../mean.ts'
import { signedNumber } from '../signed-number.ts'
import type { ArmDifference } from './experiment-differences.ts'
import type { JobResult } from './experiment-results.ts'
import type { ExperimentDefinition, ExperimentPreset } from './experiment-definition.ts'
import { seedMean, type SeedMean } from './seed-statistics.ts'

/** The results of one arm on one clinic, one per seed in the order of the seeds. */
interface ArmResults {
  readonly arm: ExperimentArm
  readonly results: readonly JobResult[]
}

/** Steps at the end of a training whose mean reward stands in the table. */
const lastSteps = 5

/**
 * Writes an experiment as Markdown: per clinic a table of macro-F1 by domain and overall with intervals over seeds, and the
 * differences to the warm start and to the baseline with intervals over seeds and patients.
 *
 * @param figures paths of pictures beside the report, by clinic
 * @param jobs trainings of the whole experiment; fewer results are an experiment that was stopped
 */
export function renderExperiment(
  definition: ExperimentDefinition,
  results: readonly JobResult[],
  {
    figures,
    differences,
    jobs,
  }: {
    readonly figures: Readonly<Partial<Record<ExperimentPreset, readonly string[]>>>
    readonly differences: readonly ArmDifference[]
    readonly jobs: number
  },
): string {
  const presets = [...new Set(results.map(({ job }) => job.preset))]
  return [
    `# ${definition.title}`,
    '',
    'Simulated patients; research use only, not a medical device.',
    '',
    settingsText(definition),
    ...(results.length < jobs
      ? ['', `${results.length} of ${jobs} trainings are finished; rows may have fewer seeds.`]
      : []),
    '',
    ...presets.flatMap(preset => [
      ...presetSection(
        preset,
        definition,
        armResults(definition, results, preset),
        differences.filter(each => each.preset === preset),
      ),
      ...(figures[preset] ?? []).flatMap(file => [`![](${file})`, '']),
    ]),
  ].join('\n')
}

function settingsText({ settings, warmStage, warmStarts }: ExperimentDefinition): string {
  const { seeds, clinicSize, judgedSize, warmSteps, steps, questionsPerStep, groupSize } = settings
  const { learningRate, klCoefficient, maxNewTokens } = settings
  return [
    `${seeds} seeds. ${clinicSize} samples train; ${judgedSize} of other patients, evenly shared among the domains, judge greedily.`,
    `Every arm ${warmStarts === 'shared' ? 'and seed goes on from the same warm start' : 'goes on from the warm start of its seed'} (${warmSteps} supervised steps of ${String(warmStage['batchSize'])}) for ${steps} steps of ${questionsPerStep} questions x ${groupSize} answers`,
    `of at most ${maxNewTokens} tokens, learning rate ${learningRate}, KL coefficient ${klCoefficient}; everything else is the default of \`qoq train\`.`,
    'Intervals with ± are 95 % over seeds (Student). Differences in macro-F1 are means over seeds, with 95 % intervals of a bootstrap',
    'that redraws seeds and patients: what other seeds and other patients would change.',
  ].join('\n')
}

/** The arms of a clinic with their results, in the order of the table. */
export function armResults(
  { arms }: ExperimentDefinition,
  results: readonly JobResult[],
  preset: ExperimentPreset,
): ArmResults[] {
  return [warmStart, ...arms].flatMap(arm => {
    const own = results.filter(({ job }) => job.preset === preset && job.arm.id === arm.id)
    return own.length > 0 ? [{ arm, results: own.toSorted((a, b) => a.job.seed - b.job.seed) }] : []
  })
}

function presetSection(
  preset: ExperimentPreset,
  { domains, baseline }: ExperimentDefinition,
  arms: readonly ArmResults[],
  differences: readonly ArmDifference[],
): string[] {
  const title = preset === 'imbalanced' ? "the paper's imbalance (table 2)" : 'balanced domains (figure 5)'
  return [
    `## Clinic with ${title}`,
    '',
    'Macro-F1 by domain, mean over seeds:',
    '',
    ...markdownTable(
      ['', ...domains, 'overall'],
      arms.map(({ arm, results }) => [
        arm.name,
        ...domains.map(domain => share(mean(results.map(({ f1 }) => f1[domain] ?? 0)))),
        interval(seedMean(results.map(({ overallF1 }) => overallF1))),
      ]),
    ),
    '',
    'Overall, and the differences to the warm start and to GRPO in macro-F1:',
    '',
    ...markdownTable(
      [
        '',
        'exactly right',
        'accuracy',
        'macro-F1',
        'minus warm start',
        'minus GRPO',
        'no finding, found',
        'worst group F1',
        'box IoU',
        `reward, last ${lastSteps} steps`,
        'no label',
        'seconds',
      ],
      arms.map(row => overallRow(row, baseline, differences)),
    ),
    '',
  ]
}

function overallRow({ arm, results }: ArmResults, baseline: string, differences: readonly ArmDifference[]): string[] {
  const of = (read: (result: JobResult) => number): SeedMean => seedMean(results.map(read))
  const minus = (other: string): string => {
    const found = differences.find(each => each.arm === arm.id && each.minus === other)
    return found === undefined ? '' : differenceText(found)
  }
  return [
    arm.name,
    interval(of(({ exactMatch }) => exactMatch)),
    interval(of(({ overallAccuracy }) => overallAccuracy)),
    interval(of(({ overallF1 }) => overallF1)),
    minus(warmStart.id),
    minus(baseline),
    share(of(({ noFindingRecall }) => noFindingRecall).mean),
    worstOf(results),
    share(of(({ iou }) => iou).mean),
    arm.stage === undefined ? '' : interval(of(({ rewards }) => mean(rewards.slice(-lastSteps)))),
    share(of(({ unparseable }) => unparseable).mean),
    of(({ trainingSeconds }) => trainingSeconds).mean.toFixed(0),
  ]
}

/** Where every seed knows its groups. */
function worstOf(results: readonly JobResult[]): string {
  const known = results.flatMap(({ worstGroupF1 }) => worstGroupF1 ?? [])
  return known.length === 0 ? '' : share(mean(known))
}

function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [heads, heads.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`)
}

function interval({ mean: value, halfWidth }: SeedMean): string {
  return `${share(value)}${halfWidth === undefined ? '' : ` ± ${share(halfWidth)}`}`
}

function differenceText({ observed, lower, upper }: ArmDifference): string {
  return `${signedNumber(observed)} (${signedNumber(lower)} to ${signedNumber(upper)})`
}

function share(value: number): string {
  return value.toFixed(3)
}
