import type { RunStart, StepProgress, TrainConfig, TrainResult } from '@qoq-med/trainer'
import type { CommandOutput } from './command-output.ts'
import { mean } from './mean.ts'

/** What a run begins with, for people. */
export function startText(
  { samples, parameters, vocabulary, skipped, folder, from }: RunStart,
  config: TrainConfig,
): string {
  const left = Object.entries(skipped).map(([dataset, count]) => `left out ${count} rows of ${dataset}`)
  const size = `${(parameters / 1e6).toFixed(1)} M parameters, a vocabulary of ${vocabulary}`
  return [
    `${config.name}: ${samples} training samples, ${size}; ${folder}`,
    ...left,
    ...(from ? [`going on after step ${from.step} of the stage ${config.stages[from.stageIndex]?.name ?? ''}`] : []),
  ].join('\n')
}

/** Steps whose mean says how fast the run is and what it earns: single steps are noise. */
const recentSteps = 20

/** Characters of the bar. */
const barWidth = 24

/**
 * Shows a run step by step: stage, a bar, loss or reward, pace and time left; on a terminal also the recent reward of each
 * domain. The last line of a stage stays.
 */
export function progressReporter(output: CommandOutput): (progress: StepProgress) => void {
  const recent: StepProgress[] = []
  return progress => {
    if (progress.accuracy !== undefined) return output.note(validationLine(progress, progress.accuracy))
    if (progress.logprobGap !== undefined) output.note(gapLine(progress, progress.logprobGap))
    for (const warning of progress.warnings ?? []) output.note(`Step ${progress.step} of ${progress.stage}: ${warning}`)
    if (recent.at(-1)?.stage !== progress.stage) recent.length = 0
    recent.push(progress)
    if (recent.length > recentSteps) recent.shift()
    const line = stepLine(progress, recent)
    if (progress.step === progress.steps) output.note(line)
    else output.progress([`${bar(progress)} ${line}`, ...domainLine(recent)].join('\n'))
  }
}

function stepLine(
  { stage, algorithm, step, steps, loss, reward }: StepProgress,
  recent: readonly StepProgress[],
): string {
  const pace = mean(recent.map(({ seconds }) => seconds))
  const left = duration(pace * (steps - step))
  const value = loss === undefined ? `reward ${reward?.toFixed(3) ?? ''}` : `loss ${loss.toFixed(4)}`
  return `${stage} (${algorithm}) ${step}/${steps}  ${value}  ${pace.toFixed(1)} s/step, ${left} left`
}

function bar({ step, steps }: StepProgress): string {
  const full = Math.round((barWidth * step) / steps)
  return `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`
}

function domainLine(recent: readonly StepProgress[]): string[] {
  const domains = [...new Set(recent.flatMap(({ rewardByDomain }) => Object.keys(rewardByDomain ?? {})))].toSorted()
  const parts = domains.map(domain => {
    const values = recent.flatMap(({ rewardByDomain }) => rewardByDomain?.[domain] ?? [])
    return `${domain} ${mean(values).toFixed(2)}`
  })
  return parts.length > 0 ? [`recent reward: ${parts.join('  ')}`] : []
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}

function validationLine({ stage, algorithm, step, steps, interval }: StepProgress, accuracy: number): string {
  const between = interval ? ` (${interval.map(end => end.toFixed(3)).join(' to ')})` : ''
  return `${stage} (${algorithm}) ${step}/${steps}  validation accuracy ${accuracy.toFixed(3)}${between}`
}

function gapLine({ stage, step }: StepProgress, gap: number): string {
  const size = gap.toExponential(1)
  return `Step ${step} of ${stage}: sampler and trainer differ by ${size} in the log-probability of a token.`
}

/** What a run took, for people: one line per stage, with the share of rewards and advantages. */
export function summaryText(stages: TrainResult['stages']): string {
  return stages
    .map(({ stage, steps, seconds, rewardAndAdvantageShare: share }) => {
      const shared = share === undefined ? '' : `; rewards and advantages took ${(100 * share).toFixed(2)} % of it`
      return `${stage}: ${steps} steps in ${Math.round(seconds)} s${shared}`
    })
    .join('\n')
}
