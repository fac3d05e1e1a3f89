/**
 * Cross-pattern attention: a patch sees the patches of its lead and those of its time in the other leads.
 *
 * @returns [tokens, tokens] additive mask over lead-major tokens: 0 where a patch sees another, else a large negative number
 */
export function crossPatternMask(numLeads: number, numPatches: number): Float32Array {
  const tokens = numLeads * numPatches
  return Float32Array.from({ length: tokens * tokens }, (_, i) => {
    const [query, key] = [Math.floor(i / tokens), i % tokens]
    const isSameLead = Math.floor(query / numPatches) === Math.floor(key / numPatches)
    return isSameLead || query % numPatches === key % numPatches ? 0 : -1e30
  })
}
