import { advantageEstimators } from '@qoq-med/core-drpo'

/** What the loop must know of an algorithm; everything else is its advantage estimator and its options. */
export interface Algorithm {
  /** Name of the advantage estimator in core-drpo. */
  readonly estimator: string
  /** Compares the answers of a question, so that a question needs two. */
  readonly comparesAnswers: boolean
  /** Damps advantages by the KL of each response: needs the reference policy whatever the penalty. */
  readonly readsKl: boolean | undefined
  /** Learns a value for every token beside the policy. */
  readonly hasCritic: boolean | undefined
  /** Compares with the most likely answer, which is sampled beside the others. */
  readonly hasGreedyBaseline: boolean | undefined
}

/** What is a choice of an algorithm and not a need of its estimator. */
export interface AlgorithmRow {
  /** Name of the advantage estimator, where it is not the algorithm's. */
  readonly estimator?: string
  /** Stage fields that differ from the defaults unless the configuration sets them. */
  readonly defaults?: Readonly<Record<string, unknown>>
}

/** Algorithms of a reinforcement stage, one row each. */
export const algorithms = {
  drpo: {},
  'drpo-domain-only': {},
  'drpo-no-kl': {},
  'drpo-recommended': {},
  'fair-grpo': {},
  'fair-grpo-nd': {},
  eqpo: {},
  'group-dro': {},
  grpo: {},
  // Liu et al. 2025: the length of an answer must not change the weight of its tokens.
  'dr-grpo': { defaults: { aggregation: 'sequence-mean-token-sum-norm' } },
  rloo: {},
  opo: {},
  // Hu 2025: the penalty is part of each token's reward.
  'reinforce++': { defaults: { klIn: 'reward', klEstimator: 'kl' } },
  remax: {},
  ppo: { estimator: 'gae' },
} as const satisfies Readonly<Record<string, AlgorithmRow>>

/** The name of an algorithm of a reinforcement stage. */
export type PolicyAlgorithm = keyof typeof algorithms

/** Names of the algorithms of a reinforcement stage; each is an advantage estimator with options. */
export const policyAlgorithms = Object.keys(algorithms) as [PolicyAlgorithm, ...PolicyAlgorithm[]] // the table's own keys

/** What says which estimator a stage has. */
export interface EstimatorChoice {
  readonly algorithm: PolicyAlgorithm
  /** A registered estimator in place of the algorithm's own. */
  readonly estimator?: string | undefined
}

/** What the algorithm of a stage takes: the needs that its estimator declares. @throws DRPO_UNKNOWN_ESTIMATOR */
export function algorithmOf({ algorithm, estimator }: EstimatorChoice): Algorithm {
  const row: AlgorithmRow = algorithms[algorithm]
  const name = estimator ?? row.estimator ?? algorithm
  const { kl, values, baselines, smallestGroup = 1 } = advantageEstimators.get(name).needs
  return {
    estimator: name,
    comparesAnswers: smallestGroup > 1,
    readsKl: kl,
    hasCritic: values,
    hasGreedyBaseline: baselines,
  }
}
