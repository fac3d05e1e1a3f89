import type { AdvantageResult, ClusterStage, DomainStage, DrpoStages } from '@qoq-med/core-drpo'
import type { ScoredRollout } from './rollout.ts'

/** What can spoil DRPO's advantages without being an error, each a share in [0, 1]. */
export interface DrpoHazards {
  /** Share of questions that are a cluster of their own: T_c is then the question's own mean. */
  readonly singletonClusters: number
  /** Share of questions with unequal rewards in a domain or cluster whose mean is so low that T = ε: s' is in the millions. */
  readonly nonPositiveMeans: number
  /** Share of responses that are damped by a KL no larger than the difference of the two engines makes. */
  readonly noisyDamping: number
}

/**
 * Measures DRPO's hazards of a step.
 *
 * @param logprobGap largest difference of a token's log-probability between sampler and trainer; 0 where it was not measured
 * @returns nothing where the estimator is not DRPO
 */
export function drpoHazards(
  { stages }: AdvantageResult,
  rollouts: readonly ScoredRollout[],
  logprobGap: number,
): DrpoHazards | undefined {
  if (!isDrpo(stages)) return undefined
  const { domains, deviations, options } = stages
  let [alone, cold] = [0, 0]
  for (const domain of domains) {
    domain.questions.forEach((question, position) => {
      const cluster = domain.clusters[domain.clusterOf[position]!]
      if (cluster?.size === 1) alone++
      if (deviations[question]! > 0 && isCold(domain, cluster, options.epsilon)) cold++
    })
  }
  const questions = deviations.length
  return {
    singletonClusters: alone / questions,
    nonPositiveMeans: cold / questions,
    noisyDamping: noisyShare(stages, rollouts, logprobGap),
  }
}

function isCold({ temperature }: DomainStage, cluster: ClusterStage | undefined, epsilon: number): boolean {
  return temperature <= epsilon || (cluster !== undefined && cluster.temperature <= epsilon)
}

/** k3 of a difference δ is about δ²/2: what of a question's KL the two engines account for at most. */
function noisyShare(
  { damping, questionKl, questionOf, questionIds }: DrpoStages,
  rollouts: readonly ScoredRollout[],
  logprobGap: number,
): number {
  if (!damping?.isActive || questionKl === undefined) return 0
  const noise = new Float64Array(questionIds.length)
  rollouts.forEach(({ completion }, i) => {
    noise[questionOf[i]!]! += (completion.tokenIds.length * logprobGap ** 2) / 2
  })
  let damped = 0
  damping.factors.forEach((factor, i) => {
    const question = questionOf[i]!
    if (factor < 1 && questionKl[question]! <= noise[question]!) damped++
  })
  return damped / rollouts.length
}

/** Tells whether an estimator's stages are those of DRPO. */
export function isDrpo(stages: unknown): stages is DrpoStages {
  return typeof stages === 'object' && stages !== null && 'type' in stages && stages.type === 'drpo'
}
