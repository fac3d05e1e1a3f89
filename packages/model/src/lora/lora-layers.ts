import type { Layers, Weights } from '@qoq-med/encoders'
import type { Ops } from '@qoq-med/tensor'
import type { LoraAdapters } from './lora-adapters.ts'

/** What adapters are put on. */
export interface LoraBase<T> {
  /** The layers without adapters. */
  readonly layers: Layers<T>
  /** Finds factors under the names of `loraParameterSpecs`. */
  readonly factors: Weights<T>
}

/**
 * Adapts the layers that are targets: y = x Wᵀ + b + scale · (drop(x) Aᵀ) Bᵀ. Where a layer is asked for some of its rows (fused
 * query, key and value), they take their rows of B along.
 *
 * @param drop what dropout does to the input of an adapter; default nothing
 */
export function loraLayers<T>(
  ops: Ops<T>,
  { layers, factors }: LoraBase<T>,
  { targets, scale }: LoraAdapters,
  drop: (x: T) => T = x => x,
): Layers<T> {
  const narrow = new Map<string, { readonly x: T; readonly low: T }>()
  // One product with A for all rows of a fused weight: dropout then hides the same inputs from each.
  const lowRank = (x: T, down: string): T => {
    const known = narrow.get(down)
    if (known?.x === x) return known.low
    const low = ops.mul(ops.linear(drop(x), factors(down)), ops.constant(scale))
    narrow.set(down, { x, low })
    return low
  }
  return {
    weight: name => layers.weight(name),
    ...(layers.rows && { rows: (name: string, rows: T) => layers.rows!(name, rows) }), // it is there, as was just asked
    linear: (x, name, options = {}) => {
      const y = layers.linear(x, name, options)
      const target = targets.get(`${name}.weight`)
      if (!target) return y
      const up = factors(target.up)
      return ops.add(y, ops.linear(lowRank(x, target.down), options.rows ? ops.slice(up, 0, ...options.rows) : up))
    },
  }
}
