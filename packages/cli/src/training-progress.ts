import type { RunStart, StepProgress, TrainConfig } from '@qoq-med/trainer'
import type { CommandOutput } from './command-output.ts'

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

/** One line per step: stage, step, loss or reward, and the time left in the stage. The last of a stage stays. */
export function progressReporter(output: CommandOutput): (progress: StepProgress) => void {
  const recent: number[] = []
  let current = ''
  return ({ stage, algorithm, step, steps, loss, reward, seconds }) => {
    if (stage !== current) recent.length = 0
    current = stage
    recent.push(seconds)
    if (recent.length > 20) recent.shift()
    const pace = recent.reduce((sum, each) => sum + each, 0) / recent.length
    const left = Math.round(pace * (steps - step))
    const value = loss === undefined ? `reward ${reward?.toFixed(3) ?? ''}` : `loss ${loss.toFixed(4)}`
    const text = `${stage} (${algorithm}) ${step}/${steps}  ${value}  ${pace.toFixed(1)} s/step, ${left} s left`
    if (step === steps) output.note(text)
    else output.progress(text)
  }
}
