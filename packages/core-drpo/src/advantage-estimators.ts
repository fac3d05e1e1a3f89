import { nearestName } from '@qoq-med/errors'
import type { AdvantageEstimator, AdvantageResult, EstimateRun } from './advantage-estimator.ts'
import { drpo, drpoDomainOnly, drpoNoKl, drpoRecommended } from './drpo.ts'
import { drpoErrors } from './errors.ts'
import { eqpo, fairGrpo, fairGrpoNd } from './fair-grpo.ts'
import { groupDro } from './group-dro.ts'
import { drGrpo, grpo, opo, remax, rloo } from './group-estimators.ts'
import type { RewardBatch } from './reward-batch.ts'
import { gae, reinforcePlusPlus } from './token-estimators.ts'

/** Estimators by name; open to the user's own. */
export interface EstimatorRegistry {
  /** Names in order of registration. */
  readonly names: () => string[]
  /** @throws DRPO_UNKNOWN_ESTIMATOR with the nearest name */
  readonly get: (name: string) => AdvantageEstimator
  /** Adds an estimator and returns a function that removes it. @throws DRPO_ESTIMATOR_EXISTS */
  readonly register: (estimator: AdvantageEstimator) => () => void
}

/** Makes a registry of its own, for tests and for programs that want no shared one. */
export function createEstimatorRegistry(estimators: readonly AdvantageEstimator[] = []): EstimatorRegistry {
  const byName = new Map(estimators.map(estimator => [estimator.name, estimator]))
  return {
    names: () => [...byName.keys()],
    get: name => {
      const known = [...byName.keys()]
      const estimator = byName.get(name)
      if (estimator === undefined)
        throw drpoErrors.UNKNOWN_ESTIMATOR({ estimator: name, nearest: nearestName(name, known), known })
      return estimator
    },
    register: estimator => {
      if (byName.has(estimator.name)) throw drpoErrors.ESTIMATOR_EXISTS({ estimator: estimator.name })
      byName.set(estimator.name, estimator)
      return () => void byName.delete(estimator.name)
    },
  }
}

/** The estimators of this package; `register` adds more. */
export const advantageEstimators: EstimatorRegistry = createEstimatorRegistry([
  drpo,
  drpoDomainOnly,
  drpoNoKl,
  drpoRecommended,
  fairGrpo,
  fairGrpoNd,
  eqpo,
  groupDro,
  grpo,
  drGrpo,
  rloo,
  opo,
  remax,
  reinforcePlusPlus,
  gae,
])

/**
 * Estimates advantages with the estimator of that name.
 *
 * @param name one of `advantageEstimators.names()`
 * @param options checked against the estimator's table; may come from JSON
 * @param run `stages: false` for the advantages alone; `state` from the batch before
 * @throws DRPO_UNKNOWN_ESTIMATOR, and what the estimator throws
 * @example
 * const { advantages } = estimateAdvantages('drpo', { rewards: [1, 0, 0, 1], questionIds: [1, 1, 2, 2], domains: ['ecg', 'ecg', 'mri', 'mri'] })
 */
export function estimateAdvantages(
  name: string,
  batch: RewardBatch,
  options?: unknown,
  run: EstimateRun = {},
): AdvantageResult {
  return advantageEstimators.get(name).estimate(batch, options, run)
}
