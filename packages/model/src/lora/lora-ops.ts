import type { Ops } from '@qoq-med/tensor'
import type { Weights } from '../decoder/weights.ts'
import type { LoraAdapters } from './lora-adapters.ts'

/** Low-rank factors of a weight or of some of its rows. */
interface Factors<T> {
  readonly down: T
  readonly up: T
}

/** What layers are given in place of plain operations and weights. */
export interface AdaptedLookup<T> {
  readonly ops: Ops<T>
  readonly weights: Weights<T>
}

/**
 * Adapts every linear layer that reads a target, without its knowing: y = x Wᵀ + b + scale · (drop(x) Aᵀ) Bᵀ. Rows cut out of a
 * weight (fused query, key and value) take their rows of B along.
 *
 * @param weights finds base weights, and factors under the names of `loraParameterSpecs`
 * @param drop what dropout does to the input of an adapter; default nothing
 */
export function withLora<T>(
  ops: Ops<T>,
  weights: Weights<T>,
  { targets, scale }: LoraAdapters,
  drop: (x: T) => T = x => x,
): AdaptedLookup<T> {
  const factors = new Map<T, Factors<T>>()
  const narrow = new Map<T, { readonly x: T; readonly low: T }>()
  // One product with A for all rows of a fused weight: dropout then hides the same inputs from each.
  const lowRank = (x: T, down: T): T => {
    const known = narrow.get(down)
    if (known?.x === x) return known.low
    const low = ops.mul(ops.linear(drop(x), down), ops.constant(scale))
    narrow.set(down, { x, low })
    return low
  }
  return {
    weights: name => {
      const weight = weights(name)
      const target = targets.get(name)
      if (target) factors.set(weight, { down: weights(target.down), up: weights(target.up) })
      return weight
    },
    ops: {
      ...ops,
      slice: (x, axis, start, end) => {
        const part = ops.slice(x, axis, start, end)
        const whole = factors.get(x)
        if (whole) factors.set(part, { down: whole.down, up: ops.slice(whole.up, axis, start, end) })
        return part
      },
      linear: (x, weight, bias) => {
        const y = ops.linear(x, weight, bias)
        const found = factors.get(weight)
        return found === undefined ? y : ops.add(y, ops.linear(lowRank(x, found.down), found.up))
      },
    },
  }
}
