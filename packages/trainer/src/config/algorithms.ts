/** What the loop must know of an algorithm; everything else is its advantage estimator (drpo.md) and its options. */
export interface Algorithm {
  /** Name of the advantage estimator in core-drpo. */
  readonly estimator: string
  /** Compares the answers of a question, so that a question needs two. */
  readonly comparesAnswers: boolean
  /** Damps advantages by the KL of each response: needs the reference policy whatever the penalty. */
  readonly readsKl?: true
  /** Learns a value for every token beside the policy. */
  readonly hasCritic?: true
  /** Compares with the most likely answer, which is sampled beside the others. */
  readonly hasGreedyBaseline?: true
  /** Stage fields that differ from the defaults unless the configuration sets them. */
  readonly defaults?: Readonly<Record<string, unknown>>
}

/** Algorithms of a reinforcement stage, one row each. */
export const algorithms = {
  drpo: { estimator: 'drpo', comparesAnswers: true, readsKl: true },
  'drpo-domain-only': { estimator: 'drpo-domain-only', comparesAnswers: true, readsKl: true },
  'drpo-no-kl': { estimator: 'drpo-no-kl', comparesAnswers: true },
  grpo: { estimator: 'grpo', comparesAnswers: true },
  'dr-grpo': {
    estimator: 'dr-grpo',
    comparesAnswers: true,
    // Liu et al. 2025: the length of an answer must not change the weight of its tokens.
    defaults: { aggregation: 'sequence-mean-token-sum-norm' },
  },
  rloo: { estimator: 'rloo', comparesAnswers: true },
  opo: { estimator: 'opo', comparesAnswers: true },
  'reinforce++': {
    estimator: 'reinforce++',
    comparesAnswers: false,
    // Hu 2025: the penalty is part of each token's reward.
    defaults: { klIn: 'reward', klEstimator: 'kl' },
  },
  remax: { estimator: 'remax', comparesAnswers: false, hasGreedyBaseline: true },
  ppo: { estimator: 'gae', comparesAnswers: false, hasCritic: true },
} as const satisfies Readonly<Record<string, Algorithm>>

/** The name of an algorithm of a reinforcement stage. */
export type PolicyAlgorithm = keyof typeof algorithms

/** Names of the algorithms of a reinforcement stage; each is an advantage estimator with options (drpo.md). */
export const policyAlgorithms = Object.keys(algorithms) as [PolicyAlgorithm, ...PolicyAlgorithm[]] // the table's own keys

/** The row of an algorithm. */
export function algorithmNamed(name: PolicyAlgorithm): Algorithm {
  return algorithms[name]
}
