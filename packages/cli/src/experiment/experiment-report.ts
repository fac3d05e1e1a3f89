import { baselineArm, experimentArms, type ExperimentArm } from './experiment-arms.ts'
import { mean } from '../mean.ts'
import type { JobResult } from './experiment-results.ts'
import {
  experimentDomains,
  klCoefficient,
  type ExperimentPreset,
  type ExperimentSettings,
} from './experiment-settings.ts'
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
 * differences to GRPO paired by seed.
 *
 * @param figures paths of pictures beside the report, by clinic
 * @param jobs trainings of the whole experiment; fewer results are an experiment that was stopped
 */
export function renderExperiment(
  settings: ExperimentSettings,
  results: readonly JobResult[],
  { figures, jobs }: { figures: Readonly<Partial<Record<ExperimentPreset, readonly string[]>>>; jobs: number },
): string {
  const presets = [...new Set(results.map(({ job }) => job.preset))]
  return [
    '# DRPO against GRPO and the rest, on the mini clinic',
    '',
    'Simulated patients; research use only, not a medical device.',
    '',
    settingsText(settings),
    ...(results.length < jobs
      ? ['', `${results.length} of ${jobs} trainings are finished; rows may have fewer seeds.`]
      : []),
    '',
    ...presets.flatMap(preset => [
      ...presetSection(preset, armResults(results, preset)),
      ...(figures[preset] ?? []).flatMap(file => [`![](${file})`, '']),
    ]),
  ].join('\n')
}

function settingsText(settings: ExperimentSettings): string {
  const { seeds, clinicSize, warmSteps, steps, questionsPerStep, groupSize, learningRate, maxNewTokens } = settings
  return [
    `${seeds} seeds. Clinic of ${clinicSize} samples; the same patients for every arm and seed, judged on held-out ones, greedily.`,
    `Every arm goes on from the same warm start of its seed (${warmSteps} supervised steps of 16) for ${steps} steps of ${questionsPerStep} questions x ${groupSize} answers`,
    `of at most ${maxNewTokens} tokens, learning rate ${learningRate}, KL coefficient ${klCoefficient}; everything else is the default of \`qoq train\`.`,
    'Intervals are 95 % over seeds (Student); differences are paired by seed.',
  ].join('\n')
}

/** The arms of a clinic with their results, in the order of the table. */
export function armResults(results: readonly JobResult[], preset: ExperimentPreset): ArmResults[] {
  return experimentArms.flatMap(arm => {
    const own = results.filter(({ job }) => job.preset === preset && job.arm.id === arm.id)
    return own.length > 0 ? [{ arm, results: own.toSorted((a, b) => a.job.seed - b.job.seed) }] : []
  })
}

function presetSection(preset: ExperimentPreset, arms: readonly ArmResults[]): string[] {
  const title = preset === 'imbalanced' ? "the paper's imbalance (table 2)" : 'balanced domains (figure 5)'
  return [
    `## Clinic with ${title}`,
    '',
    'Macro-F1 by domain, mean over seeds:',
    '',
    ...markdownTable(
      ['', ...experimentDomains, 'overall'],
      arms.map(({ arm, results }) => [
        arm.name,
        ...experimentDomains.map(domain => share(mean(results.map(({ f1 }) => f1[domain] ?? 0)))),
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
        'box IoU',
        `reward, last ${lastSteps} steps`,
        'no label',
        'seconds',
      ],
      arms.map(row => overallRow(row, arms)),
    ),
    '',
  ]
}

function overallRow({ arm, results }: ArmResults, arms: readonly ArmResults[]): string[] {
  const of = (read: (result: JobResult) => number): SeedMean => seedMean(results.map(read))
  const minus = (isOther: (arm: ExperimentArm) => boolean): string => {
    const others = arms.find(row => isOther(row.arm))?.results ?? []
    const differences = results.flatMap(({ job, overallF1 }) => {
      const other = others.find(result => result.job.seed === job.seed)
      return other === undefined ? [] : [overallF1 - other.overallF1]
    })
    return isOther(arm) || differences.length === 0 ? '' : interval(seedMean(differences), true)
  }
  return [
    arm.name,
    interval(of(({ exactMatch }) => exactMatch)),
    interval(of(({ overallAccuracy }) => overallAccuracy)),
    interval(of(({ overallF1 }) => overallF1)),
    minus(({ stage }) => stage === undefined),
    minus(({ id }) => id === baselineArm),
    share(of(({ iou }) => iou).mean),
    arm.stage === undefined ? '' : interval(of(({ rewards }) => mean(rewards.slice(-lastSteps)))),
    share(of(({ unparseable }) => unparseable).mean),
    of(({ trainingSeconds }) => trainingSeconds).mean.toFixed(0),
  ]
}

function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [heads, heads.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`)
}

function interval({ mean: value, halfWidth }: SeedMean, isDifference = false): string {
  const sign = isDifference && value >= 0 ? '+' : ''
  return `${sign}${share(value)}${halfWidth === undefined ? '' : ` ± ${share(halfWidth)}`}`
}

function share(value: number): string {
  return value.toFixed(3)
}
