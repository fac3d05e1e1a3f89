import { hidden } from '../decoder/attention.ts'
import type { Encoded } from '../prompt/encoded.ts'
import type { ScoredSequence } from './score-batch.ts'

/** A prompt and the completions that follow it, each of which sees the prompt and itself: the prompt is computed once. */
export interface PackedRow {
  readonly prompt: Encoded
  /** The row's completions, by their place in the batch and where their tokens begin in the row. */
  readonly members: readonly { readonly sequence: number; readonly start: number }[]
  /** Tokens without padding. */
  readonly length: number
}

/**
 * Puts sequences whose prompt is the same object, such as the rollouts of a question, into rows.
 *
 * @param maxLength a row gets no second completion beyond this many tokens: attention costs its square
 */
export function packRows(sequences: readonly ScoredSequence[], maxLength: number): PackedRow[] {
  const open = new Map<Encoded, { prompt: Encoded; members: { sequence: number; start: number }[]; length: number }>()
  const rows: PackedRow[] = []
  sequences.forEach(({ prompt, completion }, sequence) => {
    const row = open.get(prompt)
    if (row && row.length + completion.length <= maxLength) {
      row.members.push({ sequence, start: row.length })
      row.length += completion.length
      return
    }
    const start = prompt.tokenIds.length
    const fresh = { prompt, members: [{ sequence, start }], length: start + completion.length }
    open.set(prompt, fresh)
    rows.push(fresh)
  })
  return rows
}

/**
 * Additive mask [B, 1, 1, T, T] under which a token sees the tokens before it in the prompt and in its own completion.
 * Padding sees the prompt, so that no softmax is empty.
 */
export function branchMask(
  rows: readonly PackedRow[],
  sequences: readonly ScoredSequence[],
  length: number,
): Float32Array {
  const mask = new Float32Array(rows.length * length * length).fill(hidden)
  rows.forEach(({ prompt, members, length: used }, row) => {
    const prefix = prompt.tokenIds.length
    const show = (query: number, from: number, to: number): void => {
      const at = (row * length + query) * length
      mask.fill(0, at + from, at + to)
    }
    for (let query = 0; query < prefix; query++) show(query, 0, query + 1)
    for (const { sequence, start } of members) {
      const end = start + sequences[sequence]!.completion.length
      for (let query = start; query < end; query++) {
        show(query, 0, prefix)
        show(query, start, query + 1)
      }
    }
    for (let query = used; query < length; query++) show(query, 0, prefix)
  })
  return mask
}
