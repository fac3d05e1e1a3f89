import { describe, expect, test } from 'vitest'
import { advantageCases } from '../test/advantage-oracle.ts'
import { largestError } from '../test/largest-error.ts'
import { valueLoss } from './value-loss.ts'

describe('valueLoss', () => {
  test.for(advantageCases)('$name: it agrees with the public code in loss, clip share and gradient', item => {
    const want = item.value_loss
    const returns = item.values.map(row => row.map(value => value + want.returns_is_values_plus))
    const got = valueLoss(want.vpreds, returns, item.values, want.cliprange, item.response_mask)
    expect(largestError([got.loss, got.clipFraction], [want.loss, want.clipfrac], 1)).toBeLessThanOrEqual(1e-5)
    const gradient = got.gradient.flatMap(row => [...row])
    expect(largestError(gradient, want.grad_vpreds.flat(), 1)).toBeLessThanOrEqual(1e-5)
  })
})
