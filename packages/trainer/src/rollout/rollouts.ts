import type { Completion, GenerateRequest, Policy, ScoredSequence } from '@qoq-med/model'
import type { Breakdown } from '@qoq-med/rewards'
import type { PreparedSample } from '../run/prepared-sample.ts'

/** A completion with the question that it answers. */
export interface Rollout {
  /** Index into the step's questions. */
  readonly question: number
  readonly prepared: PreparedSample
  readonly completion: Completion
}

/** A rollout with what it earned. */
export interface RewardedRollout extends Rollout {
  readonly breakdown: Breakdown
  /** What the advantages are made of: the score, less a penalty for length where the stage has one. */
  readonly reward: number
  /** Reward of the most likely answer to the same question, where the algorithm compares with it. */
  readonly baseline?: number
  /** False for an answer that was cut off, where the stage does not train on those. */
  readonly trains: boolean
}

/**
 * A step's rollouts with everything that is known of them before the update. Their old log-probabilities, of the policy that
 * sampled them, are those that the sampler wrote down: `completion.logprobs`.
 */
export interface ScoredRollouts {
  readonly rollouts: readonly RewardedRollout[]
  /** Log-probabilities under the frozen reference; the old ones where there is none. */
  readonly reference: readonly Float32Array[]
  /** The critic's value before each token, where there is a critic. */
  readonly values?: readonly Float32Array[]
}

/** How a step's rollouts are sampled. */
export interface RolloutOptions {
  readonly groupSize: number
  readonly temperature: number
  readonly topP: number
  readonly topK: number
  readonly maxNewTokens: number
  /** Sample the most likely answer beside each group. */
  readonly greedy: boolean
  /** The seed of a question's group. */
  readonly seedOf: (question: number) => number
  readonly signal?: AbortSignal | undefined
}

/** The answers to a list of questions. Q questions, groups of G. */
export interface SampledGroups {
  /** [Q][G] in the order of the sample numbers. */
  readonly groups: readonly (readonly Completion[])[]
  /** [Q] the most likely answers, or none. */
  readonly greedy: readonly Completion[]
}

/** Samples a group of answers for every question; the answers of a question share its prefill. */
export async function sampleGroups(
  policy: Policy,
  questions: readonly PreparedSample[],
  { groupSize, greedy, seedOf, signal, ...sampling }: RolloutOptions,
): Promise<SampledGroups> {
  const sampled = questions.map(({ prompt }, question): GenerateRequest => ({
    ...sampling,
    prompt,
    samples: groupSize,
    seed: seedOf(question),
  }))
  const { maxNewTokens } = sampling
  const likeliest = greedy ? questions.map(({ prompt }) => ({ prompt, maxNewTokens, temperature: 0 })) : []
  const completions = new Map<string, Completion>()
  for await (const event of policy.generate([...sampled, ...likeliest], signal ? { signal } : {})) {
    if (event.type === 'sample-end') completions.set(`${event.request} ${event.sample}`, event.completion)
  }
  // Every sample of every request ends.
  const completion = (request: number, sample: number): Completion => completions.get(`${request} ${sample}`)!
  return {
    groups: sampled.map((_, q) => Array.from({ length: groupSize }, (_sample, i) => completion(q, i))),
    greedy: likeliest.map((_, q) => completion(sampled.length + q, 0)),
  }
}

/** A rollout as the learner scores it. */
export function sequenceOf({ prepared, completion }: Rollout): ScoredSequence {
  return { prompt: prepared.prompt, completion: completion.tokenIds }
}
