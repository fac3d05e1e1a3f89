import type { Completion, GenerateRequest, Policy, ScoredSequence } from '@qoq-med/model'
import type { Breakdown } from '@qoq-med/rewards'
import type { CompletionScores } from './learner.ts'
import type { PreparedSample } from './prepared-sample.ts'

/** A completion with the question that it answers. */
export interface Rollout {
  /** Index into the step's questions. */
  readonly question: number
  readonly prepared: PreparedSample
  readonly completion: Completion
}

/** A step's rollouts with everything that is known of them before the update. */
export interface ScoredRollouts {
  readonly rollouts: readonly Rollout[]
  readonly rewards: readonly Breakdown[]
  /** Under the policy before the update: the old log-probabilities. */
  readonly policy: readonly CompletionScores[]
  /** Under the frozen reference: log-probabilities only. */
  readonly reference: readonly Float32Array[]
}

/** How a step's rollouts are sampled. */
export interface RolloutOptions {
  readonly groupSize: number
  readonly temperature: number
  readonly topP: number
  readonly topK: number
  readonly maxNewTokens: number
  /** The seed of a question's group. */
  readonly seedOf: (question: number) => number
  readonly signal?: AbortSignal | undefined
}

/**
 * Samples a group of answers for every question; the answers of a question share its prefill.
 *
 * @returns [Q * G] the rollouts, a question's rollouts adjacent, in the order of their sample numbers
 */
export async function sampleRollouts(
  policy: Policy,
  questions: readonly PreparedSample[],
  { groupSize, seedOf, signal, ...sampling }: RolloutOptions,
): Promise<Rollout[]> {
  const requests = questions.map(({ prompt }, question): GenerateRequest => ({
    ...sampling,
    prompt,
    samples: groupSize,
    seed: seedOf(question),
  }))
  const completions = new Map<string, Completion>()
  for await (const event of policy.generate(requests, signal ? { signal } : {})) {
    if (event.type === 'sample-end') completions.set(`${event.request} ${event.sample}`, event.completion)
  }
  return questions.flatMap((prepared, question) =>
    Array.from({ length: groupSize }, (_, sample) => ({
      question,
      prepared,
      completion: completions.get(`${question} ${sample}`)!, // every sample of every request ends
    })),
  )
}

/** A rollout as the learner scores it. */
export function sequenceOf({ prepared, completion }: Rollout): ScoredSequence {
  return { prompt: prepared.prompt, completion: completion.tokenIds }
}
