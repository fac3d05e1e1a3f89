import type { SampleSelection } from '@qoq-med/data-climb'
import { questionOf, type PreparedSample, type Question } from './prepared-sample.ts'
import type { Run } from './run.ts'

/** A stretch of the endless order in which a stage sees its samples. */
export interface SampleStretch {
  readonly stageIndex: number
  readonly from: number
  readonly count: number
}

/**
 * Prepares the samples of a step, and lets go of their media; one that cannot be used gives its place to the next.
 *
 * @param keep what is kept of each
 * @throws DATA_TOO_MANY_FAILURES, and what the samples' readers throw
 */
export async function stepSamples<Kept = Question>(
  { config, prepare, leftOut }: Pick<Run, 'config' | 'prepare' | 'leftOut'>,
  samples: SampleSelection,
  { stageIndex, from, count }: SampleStretch,
  keep: (prepared: PreparedSample) => Kept = questionOf as (prepared: PreparedSample) => Kept, // Kept is Question where it is left out
): Promise<Kept[]> {
  const places = samples.draws(from, count, config.seed + stageIndex)
  const drawn = await samples.read(places)
  return Promise.all(
    places.map((place, i) =>
      leftOut.firstUsable(samples, place, async sample => keep(await prepare(sample)), drawn[i]),
    ),
  )
}
