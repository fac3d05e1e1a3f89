import { z } from 'zod'
import { readMetrics, type MetricsLine } from './run-log.ts'

/** What a stage took and reached, from its metrics. */
export interface StageSummary {
  readonly stage: string
  readonly algorithm: string
  readonly steps: number
  readonly skippedSteps: number
  /** Of its steps; validation and checkpoints come on top. */
  readonly seconds: number
  /** Share of the steps' time that rewards and advantages took; less than 2 % is the aim. */
  readonly rewardAndAdvantageShare?: number
  /** Largest difference of a token's log-probability between sampler and trainer. */
  readonly logprobGap?: number
}

const Times = z.object({
  rollout: z.number(),
  reward: z.number(),
  score: z.number(),
  advantage: z.number(),
  update: z.number(),
})
const StepLine = z.object({ times: Times, logprobGap: z.number() })

/** Sums up a run from its metrics.jsonl, the steps before a resume included. */
export async function summariseRun(runFolder: string): Promise<StageSummary[]> {
  const lines = (await readMetrics(runFolder)).filter(({ type }) => type === undefined)
  const names = [...new Set(lines.map(({ stage }) => stage))]
  return names.map(name => stageSummary(lines.filter(({ stage }) => stage === name)))
}

function stageSummary(lines: readonly MetricsLine[]): StageSummary {
  const steps = lines.flatMap(line => StepLine.safeParse(line).data ?? [])
  const timed = steps.map(({ times }) => times)
  const total = (seconds: (times: z.output<typeof Times>) => number): number =>
    timed.reduce((sum, times) => sum + seconds(times), 0)
  const all = total(({ rollout, reward, score, advantage, update }) => rollout + reward + score + advantage + update)
  return {
    stage: lines[0]!.stage,
    algorithm: lines[0]!.algorithm ?? '',
    steps: lines.length,
    skippedSteps: lines.filter(({ skipped }) => skipped === true).length,
    seconds: lines.reduce((sum, { seconds }) => sum + seconds, 0),
    ...(steps.length > 0 && {
      rewardAndAdvantageShare: total(({ reward, advantage }) => reward + advantage) / all,
      logprobGap: Math.max(...steps.map(({ logprobGap }) => logprobGap)),
    }),
  }
}
