import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { advantageCases } from '../test/advantage-oracle.ts'
import { largestError } from '../test/largest-error.ts'
import { lossAggregations } from './loss-aggregation.ts'
import { policyLoss, type PolicyLossOptions } from './policy-loss.ts'

/** float32 oracles, absolute. */
const SINGLE = 1e-5
/** float64 oracles, relative. */
const DOUBLE = 1e-9

const flat = (rows: readonly ArrayLike<number>[]): number[] => rows.flatMap(row => Array.from(row))

describe('policyLoss', () => {
  test.for(advantageCases)('$name: it agrees with the public code in loss, clip shares and gradient', item => {
    const want = item.policy_loss
    const got = policyLoss(
      {
        policyLogprobs: want.log_probs,
        oldLogprobs: want.old_log_probs,
        advantages: want.advantages,
        lossMask: item.response_mask,
      },
      {
        clipRatioLow: want.clip_low,
        clipRatioHigh: want.clip_high,
        dualClip: want.clip_dual,
        aggregation: 'token-mean',
      },
    )
    const numbers = [got.loss, got.clipFraction, got.dualClipFraction, got.oldKl]
    const wanted = [want.loss, want.clipfrac_higher, want.clipfrac_lower, want.ppo_kl]
    expect(largestError(numbers, wanted, 1)).toBeLessThanOrEqual(SINGLE)
    expect(largestError(flat(got.gradient), flat(want.grad_log_probs), 1)).toBeLessThanOrEqual(SINGLE)
  })

  test.for(advantageCases)("$name: it agrees with the paper's objective", item => {
    const { policy_loss: logprobs, paper_objective: want } = item
    const got = policyLoss(
      {
        policyLogprobs: logprobs.log_probs,
        oldLogprobs: logprobs.old_log_probs,
        advantages: logprobs.advantages,
        refLogprobs: want.ref_log_probs,
        lossMask: item.response_mask,
      },
      { clipRatioLow: want.clip, clipRatioHigh: want.clip, klCoefficient: want.beta },
    )
    expect(largestError([got.loss], [want.loss])).toBeLessThanOrEqual(DOUBLE)
    expect(largestError(flat(got.gradient), flat(want.grad_log_probs))).toBeLessThanOrEqual(DOUBLE)
  })
})
