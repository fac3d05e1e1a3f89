import type { Sample } from '@qoq-med/data-climb'
import type { PreparedSample } from './prepared-sample.ts'
import type { Run } from './run.ts'
import { samplesAt } from './sample-order.ts'

/** A stretch of the endless order in which a stage sees its samples. */
export interface SampleStretch {
  readonly stageIndex: number
  readonly from: number
  readonly count: number
}

/**
 * Prepares the samples of a step; one that cannot be used gives its place to the next.
 *
 * @throws DATA_TOO_MANY_FAILURES, and what the samples' readers throw
 */
export function stepSamples(
  { config, prepare, leftOut }: Run,
  samples: readonly Sample[],
  { stageIndex, from, count }: SampleStretch,
): Promise<PreparedSample[]> {
  const indices = samplesAt(samples.length, from, count, config.seed + stageIndex)
  return Promise.all(indices.map(index => leftOut.firstUsable(samples, index, prepare)))
}
