import type { Completion, Encoded, GenerateRequest, Policy } from '@qoq-med/model'

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
  questions: readonly { readonly prompt: Encoded }[],
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
