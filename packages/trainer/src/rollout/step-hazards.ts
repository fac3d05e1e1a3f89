/** A hazard of reinforcement learning: a number of the metrics that warns above a limit. */
interface HazardDefinition {
  /** Name in metrics.jsonl; a share in [0, 1]. */
  readonly metric: string
  readonly above: number
  /** What is the matter, after the share. */
  readonly what: string
  /** What to do about it. */
  readonly next: string
}

/** A hazard of a step. */
export interface Hazard {
  readonly metric: string
  readonly share: number
  /** A sentence with the share, and one that says what to do. */
  readonly warning: string
}

/** What can spoil a step without being an error, one row each. */
const definitions: readonly HazardDefinition[] = [
  {
    metric: 'nonPositiveMeans',
    above: 0,
    what: 'of the questions lie in a domain or cluster whose mean reward is not positive: T = ε makes their advantages swamp the batch',
    next: 'Set advantage.temperatureFloor or advantage.nonPositiveMean: refuse, or keep penalties below what answers earn.',
  },
  {
    metric: 'noisyDamping',
    above: 0,
    what: 'of the responses are damped by a KL that is no more than the difference between sampler and trainer',
    next: 'Sample and train with the same precision, or use drpo-no-kl until the policy has moved.',
  },
  {
    metric: 'singletonClusters',
    above: 0.5,
    what: 'of the questions are a cluster of their own, so that each is divided by its own mean reward',
    next: 'Ask more questions per step, or lower advantage.maxClusters.',
  },
  {
    metric: 'constantGroups',
    above: 0.5,
    what: 'of the groups have equal rewards and teach nothing',
    next: 'Sample more answers per question, warm the policy up, or set dynamicSampling.',
  },
  {
    metric: 'truncated',
    above: 0.25,
    what: 'of the answers were cut off at the limit of tokens',
    next: 'Raise rollout.maxNewTokens, or set overlong or maskTruncated.',
  },
  {
    metric: 'unparseable',
    above: 0.5,
    what: 'of the answers have no \\boxed{} that can be read',
    next: 'Warm the policy up with an SFT stage, or raise the weight of format.',
  },
]

/** The hazards that a step's metrics show, the worst kinds first. @param metrics a line of metrics.jsonl */
export function stepHazards(metrics: Readonly<Record<string, unknown>>): Hazard[] {
  return definitions.flatMap(({ metric, above, what, next }) => {
    const share = metrics[metric]
    if (typeof share !== 'number' || share <= above) return []
    return [{ metric, share, warning: `${percent(share)} ${what}. ${next}` }]
  })
}

function percent(share: number): string {
  return `${share < 0.01 ? '<1' : Math.round(100 * share)} %`
}
