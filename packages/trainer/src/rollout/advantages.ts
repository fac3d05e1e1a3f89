import { estimateAdvantages, type AdvantageResult, type RewardBatch } from '@qoq-med/core-drpo'
import { algorithmOf } from '../config/algorithms.ts'
import type { PolicyStage } from '../config/run-config.ts'
import type { AdvantagedRollout, ScoredRollout } from './rollout.ts'

/** Estimates a step's advantages with the algorithm of its stage. @throws what the estimator throws */
export function stageAdvantages(stage: PolicyStage, batch: RewardBatch, state: unknown): AdvantageResult {
  return estimateAdvantages(algorithmOf(stage).estimator, batch, stage.advantage, { state })
}

/** The rollouts with their advantages, and with their returns where each token has one. */
export function withAdvantages(rollouts: readonly ScoredRollout[], result: AdvantageResult): AdvantagedRollout[] {
  return rollouts.map((rollout, i) => ({
    ...rollout,
    advantage: result.advantages[i]!,
    ...(result.level === 'token' && { returns: result.returns[i]! }),
  }))
}
