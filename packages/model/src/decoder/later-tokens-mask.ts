import type { Ops } from '@qoq-med/tensor'

/** Added to scores that must not count: large enough to vanish in the softmax, small enough to stay finite when summed. */
export const hidden = -1e30

/**
 * The causal mask [T, T], computed in the graph from two ranges: a stored one would take T² numbers of every program.
 * 0 where the key is not later than the query, else a large negative number.
 */
export function laterTokensMask<T>(ops: Ops<T>, length: number): T {
  const places = Float32Array.from({ length }, (_, i) => i)
  const isLater = ops.less(ops.constant(places, [length, 1]), ops.constant(places, [1, length]))
  return ops.where(isLater, ops.constant(hidden), ops.constant(0))
}
