import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { EvaluationResults } from '@qoq-med/eval'
import { worstGroupF1 } from './judged-groups.ts'
import { mean } from '../mean.ts'
import type { ExperimentJob } from './experiment-jobs.ts'
import { noFindingLabels } from './experiment-configs.ts'

/** What the evaluation of one job measured on held-out patients. */
export interface JobResult {
  readonly job: ExperimentJob
  /** Macro-F1 (eqs. 13-15) per domain. */
  readonly f1: Readonly<Record<string, number>>
  readonly overallF1: number
  /** Balanced accuracy (eqs. 12, 14, 15). */
  readonly overallAccuracy: number
  /** Share of answers whose labels are exactly right. */
  readonly exactMatch: number
  /** Recall of the labels that say that nothing is there, mean over the datasets that have one. */
  readonly noFindingRecall: number
  /** Macro-F1 of the group by sex and age that is served worst, where groups are known. */
  readonly worstGroupF1: number | undefined
  /** Mean box IoU (eq. 20) over the datasets that have boxes. */
  readonly iou: number
  /** Share of answers without a boxed label. */
  readonly unparseable: number
  /** Mean reward of each reinforcement step; empty for a warm start. */
  readonly rewards: readonly number[]
  /** Share of the steps' time that rewards and advantages took; 0 for a warm start. */
  readonly rewardShare: number
  readonly trainingSeconds: number
}

/** Reads what the finished jobs below an experiment's folder have left. */
export function readResults(out: string, jobs: readonly ExperimentJob[]): Promise<JobResult[]> {
  return Promise.all(jobs.map(job => readResult(out, job)))
}

/** Reads what `qoq eval` wrote for a job. */
export async function readEvaluation(out: string, job: string): Promise<EvaluationResults> {
  const file = path.join(out, job, 'eval', 'results.json')
  return JSON.parse(await readFile(file, 'utf8')) as EvaluationResults // written by this version of `qoq eval`
}

async function readResult(out: string, job: ExperimentJob): Promise<JobResult> {
  const folder = path.join(out, job.id)
  const results = await readEvaluation(out, job.id)
  const { readMetrics } = await import('@qoq-med/trainer')
  const metrics = await readMetrics(path.join(folder, 'run'))
  const numbers = (name: string): number[] =>
    metrics.flatMap(line => (typeof line[name] === 'number' ? [line[name]] : []))
  const { overall, domains } = results.metrics
  return {
    job,
    f1: Object.fromEntries(Object.entries(domains).map(([domain, { f1 }]) => [domain, f1])),
    overallF1: overall.f1,
    overallAccuracy: overall.accuracy,
    exactMatch: overall.exactMatch,
    noFindingRecall: mean(
      Object.values(results.metrics.datasets).flatMap(({ perLabel }) =>
        noFindingLabels.flatMap(label => perLabel[label]?.recall ?? []),
      ),
    ),
    worstGroupF1: worstGroupF1(results),
    iou: mean(Object.values(results.iou).map(({ mean: value }) => value)),
    unparseable: overall.unparseable,
    rewards: numbers('reward'),
    rewardShare: mean(numbers('rewardAndAdvantageShare')),
    trainingSeconds: metrics.reduce((sum, { seconds }) => sum + seconds, 0),
  }
}
