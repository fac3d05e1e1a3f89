import type { RunPlan } from '@qoq-med/trainer'
import { byteText } from './byte-size.ts'
import { textTable } from './text-table.ts'

/** What a run will take, for people. */
export function planText(plan: RunPlan): string {
  const { samples, parameters, vocabulary, promptTokens, referenceTokens, stages, memoryBytes, seconds, flops } = plan
  const heads = ['stage', 'algorithm', 'steps', 'samples', 'training', 'sampled/step', 'trained/step', 'memory', 'time']
  const rows = stages.map(stage => [
    stage.name,
    stage.algorithm,
    String(stage.steps),
    String(stage.samples),
    millions(stage.trainableParameters),
    String(stage.sampledTokens),
    String(stage.trainedTokens),
    byteText(stage.memoryBytes),
    timeText(stage.seconds),
  ])
  const left = Object.entries(plan.skipped).map(([dataset, count]) => `Leaves out ${count} rows of ${dataset}.`)
  return [
    `${samples} training samples; prompts of ${tokensText(promptTokens)}, references of ${tokensText(referenceTokens)}.`,
    ...left,
    `${millions(parameters)} parameters, a vocabulary of ${vocabulary}.`,
    textTable([heads, ...rows]),
    `At most about ${byteText(memoryBytes)} of memory and ${timeText(seconds)}, at ${(flops / 1e9).toFixed(0)} GFLOP/s as measured now.`,
  ].join('\n')
}

function tokensText({ mean, largest }: RunPlan['promptTokens']): string {
  return `${Math.round(mean)} tokens (at most ${largest})`
}

function millions(count: number): string {
  return `${(count / 1e6).toFixed(2)} M`
}

function timeText(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`
  if (seconds < 7200) return `${Math.ceil(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(seconds < 360_000 ? 1 : 0)} h`
}
