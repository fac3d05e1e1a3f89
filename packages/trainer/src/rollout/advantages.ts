import {
  advantageEstimators,
  estimateAdvantages,
  parseOptions,
  type AdvantageResult,
  type RewardBatch,
} from '@qoq-med/core-drpo'
import { algorithmNamed } from '../config/algorithms.ts'
import type { PolicyStage } from '../config/run-config.ts'

/** Estimates a step's advantages with the algorithm of its stage. @throws what the estimator throws */
export function stageAdvantages(stage: PolicyStage, batch: RewardBatch, state: unknown): AdvantageResult {
  return estimateAdvantages(algorithmNamed(stage.algorithm).estimator, batch, stage.advantage, { state })
}

/** Checks the options of a stage's estimator before the stage's turn. @throws DRPO_UNKNOWN_OPTION, DRPO_INVALID_OPTION */
export function checkAdvantageOptions(stage: PolicyStage): void {
  const { name, options } = advantageEstimators.get(algorithmNamed(stage.algorithm).estimator)
  parseOptions(name, options, stage.advantage)
}
