import type { Critic } from '../learn/critic.ts'
import type { PolicyStage } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { sequenceOf, type Rollout, type ScoredRollouts } from './rollouts.ts'
import { chunks, type StageContext } from '../stage/stage-context.ts'

/** Models beside the policy that a step may ask. */
export interface Scorers {
  /** Weights of the frozen reference policy; absent where nothing compares with it. */
  readonly referenceWeights?: ((name: string) => Float32Array) | undefined
  readonly critic?: Critic | undefined
}

/**
 * Scores a step's rollouts under the reference and the critic, as far as the stage has them.
 *
 * @throws TRAINER_NOT_FINITE naming the sample
 */
export async function scoreRollouts(
  stage: PolicyStage,
  context: StageContext,
  { referenceWeights, critic }: Scorers,
  { rollouts, step }: { readonly rollouts: ScoredRollouts['rollouts']; readonly step: number },
): Promise<ScoredRollouts> {
  const { learner } = context
  const inParts = <Result>(of: (part: ReturnType<typeof sequenceOf>[]) => Promise<Result[]>): Promise<Result[]> =>
    eachPart(rollouts, stage.microbatchSize, of)
  const check = (what: string, rows: readonly Float32Array[]): void => {
    checkFinite(stage, { what, step }, rollouts, rows)
  }
  const reference = referenceWeights
    ? await inParts(part => learner.score(part, referenceWeights))
    : rollouts.map(({ completion }) => completion.logprobs)
  check('log-probability under the reference', reference)
  const values = critic && (await inParts(part => critic.values(part)))
  if (values) check('value of the critic', values)
  return { rollouts, reference, ...(values && { values }) }
}

async function eachPart<Result>(
  rollouts: readonly Rollout[],
  size: number,
  of: (part: ReturnType<typeof sequenceOf>[]) => Promise<Result[]>,
): Promise<Result[]> {
  const results: Result[] = []
  for (const part of chunks(rollouts, size)) results.push(...(await of(part.map(sequenceOf))))
  return results
}

function checkFinite(
  stage: PolicyStage,
  { what, step }: { readonly what: string; readonly step: number },
  rollouts: readonly Rollout[],
  rows: readonly Float32Array[],
): void {
  const at = rows.findIndex(values => !values.every(Number.isFinite))
  if (at < 0) return
  const where = `sample ${rollouts[at]!.prepared.sample.id}`
  throw trainerErrors.NOT_FINITE({ what, stage: stage.name, step, where })
}
