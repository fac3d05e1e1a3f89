import type { DecoderConfig } from '../../decoder/decoder-config.ts'

/** How many heads the rows of a tensor belong to, where they are rotated. */
export function rotatedHeads(name: string, { numHeads, numKvHeads }: DecoderConfig): number | undefined {
  if (name.includes('.self_attn.q_proj.')) return numHeads
  return name.includes('.self_attn.k_proj.') ? numKvHeads : undefined
}

/** The place in the file of a row of a head: there the two rows of a pair are neighbours, here they lie half a head apart. */
export function storedRow(row: number, headDim: number): number {
  const [start, inHead, half] = [row - (row % headDim), row % headDim, headDim / 2]
  return start + 2 * (inHead % half) + Math.floor(inHead / half)
}

/**
 * Undoes llama.cpp's order of rotated rows: there the two rows of a pair are neighbours, here they lie half a head apart.
 *
 * @param values [heads * headDim, columns], reordered in place
 */
export function separatePairs(values: Float32Array, heads: number, headDim: number): void {
  const columns = values.length / (heads * headDim)
  const half = headDim / 2
  for (let head = 0; head < heads; head++) {
    const rows = values.subarray(head * headDim * columns, (head + 1) * headDim * columns)
    const stored = rows.slice()
    for (let row = 0; row < headDim; row++) {
      const to = (row % 2) * half + (row >> 1)
      rows.set(stored.subarray(row * columns, (row + 1) * columns), to * columns)
    }
  }
}
