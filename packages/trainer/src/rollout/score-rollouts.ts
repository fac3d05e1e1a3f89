import type { ScoredSequence } from '@qoq-med/model'
import { chunks } from '../chunks.ts'
import { logprobPass } from '../learn/logprob-pass.ts'
import { valuePass } from '../learn/value-objective.ts'
import { notFinite } from '../run/at-step.ts'
import type { PolicyParts } from './policy-parts.ts'
import { sequencesOf, type RewardedRollout, type ScoredRollout } from './rollout.ts'

/**
 * Scores a step's rollouts under the reference and the critic, as far as the stage has them.
 *
 * @throws StepFault naming the sample whose score is not finite
 */
export async function scoreRollouts(
  { stage, answers, learner, critic, referenceWeights, prompts }: PolicyParts,
  rollouts: readonly RewardedRollout[],
): Promise<ScoredRollout[]> {
  const inParts = async (of: (part: ScoredSequence[]) => Promise<Float32Array[]>): Promise<Float32Array[]> => {
    const rows: Float32Array[] = []
    for (const part of chunks(rollouts, stage.microbatchSize))
      rows.push(...(await of(sequencesOf(part, await prompts(part.map(({ prepared }) => prepared))))))
    return rows
  }
  const reference = referenceWeights
    ? await inParts(part => learner.evaluate(logprobPass(answers), part, referenceWeights))
    : rollouts.map(({ completion }) => completion.logprobs)
  checkFinite('log-probability under the reference', rollouts, reference)
  const values = critic && (await inParts(part => critic.evaluate(valuePass(answers), part)))
  if (values) checkFinite('value of the critic', rollouts, values)
  return rollouts.map((rollout, i) => ({
    ...rollout,
    refLogprobs: reference[i]!,
    ...(values && { values: values[i]! }),
  }))
}

function checkFinite(what: string, rollouts: readonly RewardedRollout[], rows: readonly Float32Array[]): void {
  const at = rows.findIndex(values => !values.every(Number.isFinite))
  if (at >= 0) throw notFinite(what, `sample ${rollouts[at]!.prepared.sample.id}`)
}
