import type { Ops } from '@qoq-med/tensor'
import type { Attend } from './transformer-block.ts'

/**
 * Cross-pattern attention of ECG-JEPA: a patch sees the patches of its lead and, at its time, those of the other leads.
 *
 * Scores within leads [C, P, P] and within times [P, C, C] meet in one softmax over P + C places, in which the patch's
 * own second place is hidden. It equals attention over C * P tokens under a mask, at P + C instead of C * P scores per
 * token (58 instead of 400).
 *
 * @param numLeads C
 * @param numPatches P; tokens are [C, P], lead after lead
 */
export function crossPatternAttention<T>(ops: Ops<T>, numLeads: number, numPatches: number): Attend<T> {
  return (q, k, v) => {
    const [batch, heads, tokens, headDim] = ops.shape(q) as [number, number, number, number] // Attend's shape
    const scale = headDim ** -0.5
    const byLead = (x: T): T => ops.reshape(x, [batch, heads, numLeads, numPatches, headDim])
    const swapped = (x: T): T => ops.transpose(x, [0, 1, 3, 2, 4])
    const [queries, keys, values] = [byLead(q), byLead(k), byLead(v)]
    const leadScores = ops.matmul(queries, keys, { transposeB: true, scale })
    const timeScores = swapped(ops.matmul(swapped(queries), swapped(keys), { transposeB: true, scale }))
    const others = ops.add(timeScores, ops.constant(ownPlace(numLeads), [numLeads, 1, numLeads]))
    const probabilities = ops.softmax(ops.concat([leadScores, others], -1))
    const leadPart = ops.slice(probabilities, -1, 0, numPatches)
    const timePart = ops.slice(probabilities, -1, numPatches, numPatches + numLeads)
    const fromLead = ops.matmul(leadPart, values)
    const fromTime = swapped(ops.matmul(swapped(timePart), swapped(values)))
    return ops.reshape(ops.add(fromLead, fromTime), [batch, heads, tokens, headDim])
  }
}

/** [C, C] a large negative number where a lead meets itself: that score is among its lead's already. */
function ownPlace(numLeads: number): Float32Array {
  return Float32Array.from({ length: numLeads ** 2 }, (_, i) => (i % (numLeads + 1) === 0 ? -1e9 : 0))
}
