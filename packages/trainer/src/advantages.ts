import { estimateAdvantages, type AdvantageResult, type RewardBatch } from '@qoq-med/core-drpo'
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

/** Masked token sum of the k3 estimate of KL(policy ‖ reference) of one response (eq. 4; KL_i of drpo.md). */
export function responseKlSum(logprobs: Float32Array, refLogprobs: Float32Array): number {
  let sum = 0
  for (let token = 0; token < logprobs.length; token++) {
    const delta = refLogprobs[token]! - logprobs[token]!
    sum += Math.exp(delta) - delta - 1
  }
  return sum
}
