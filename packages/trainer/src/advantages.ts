import {
  advantageEstimators,
  estimateAdvantages,
  parseOptions,
  type AdvantageResult,
  type RewardBatch,
} from '@qoq-med/core-drpo'
import type { PolicyStage } from './config.ts'

/** The advantage estimator behind each algorithm of a configuration. */
const estimators: Readonly<Record<PolicyStage['algorithm'], string>> = {
  drpo: 'drpo',
  'drpo-domain-only': 'drpo-domain-only',
  'drpo-no-kl': 'drpo-no-kl',
  grpo: 'grpo',
  'dr-grpo': 'dr-grpo',
  rloo: 'rloo',
}

/** Estimates a step's advantages with the algorithm of its stage. @throws what the estimator throws */
export function stageAdvantages(stage: PolicyStage, batch: RewardBatch, state: unknown): AdvantageResult {
  return estimateAdvantages(estimators[stage.algorithm], batch, stage.advantage, { state })
}

/** Checks the options of a stage's estimator before the stage's turn. @throws DRPO_UNKNOWN_OPTION, DRPO_INVALID_OPTION */
export function checkAdvantageOptions(stage: PolicyStage): void {
  const { name, options } = advantageEstimators.get(estimators[stage.algorithm])
  parseOptions(name, options, stage.advantage)
}
