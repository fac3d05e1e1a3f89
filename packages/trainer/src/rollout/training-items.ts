import type { PolicyStage } from '../config/run-config.ts'
import { tokenWeights } from '../learn/policy-loss.ts'
import type { PolicyItem } from '../learn/policy-objective.ts'
import type { ValueItem } from '../learn/value-objective.ts'
import type { AdvantagedRollout } from './rollout.ts'

/** What an objective takes of a rollout beside its prompt. */
export type WithoutPrompt<Item> = Omit<Item, 'prompt'>

/** A minibatch as the clipped objective takes it: token weights are those of the whole minibatch. */
export function policyItems(
  { aggregation, rollout }: Pick<PolicyStage, 'aggregation' | 'rollout'>,
  rollouts: readonly AdvantagedRollout[],
): WithoutPrompt<PolicyItem>[] {
  const weights = tokenWeights(rollouts.map(trainedTokens), aggregation, rollout.maxNewTokens)
  return rollouts.map((each, i) => ({
    completion: each.completion.tokenIds,
    oldLogprobs: each.completion.logprobs,
    refLogprobs: each.refLogprobs,
    advantage: each.advantage,
    tokenWeight: weights[i]!,
  }))
}

/** A minibatch as the critic's loss takes it; whoever has a critic has its values and returns. */
export function valueItems(rollouts: readonly AdvantagedRollout[]): WithoutPrompt<ValueItem>[] {
  const lengths = rollouts.map(trainedTokens)
  const weights = tokenWeights(lengths, 'token-mean', Math.max(1, ...lengths))
  return rollouts.map((each, i) => ({
    completion: each.completion.tokenIds,
    returns: each.returns!,
    oldValues: each.values!,
    tokenWeight: weights[i]!,
  }))
}

/** An answer that does not train counts as one without tokens. */
function trainedTokens({ trains, completion }: AdvantagedRollout): number {
  return trains ? completion.tokenIds.length : 0
}
