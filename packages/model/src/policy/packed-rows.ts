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
 * Puts sequences whose prompt is the same object, such as the rollouts of a question, into rows of that prompt: as few as
 * `perRow` completions a row allow, each with about as many completions as the others.
 */
export function packRows(sequences: readonly ScoredSequence[], perRow: number): PackedRow[] {
  const groups = Map.groupBy(sequences.keys(), i => sequences[i]!.prompt)
  return [...groups].flatMap(([prompt, members]) => {
    const rows = Math.ceil(members.length / perRow)
    return Array.from({ length: rows }, (_, row) => {
      const [from, to] = [row, row + 1].map(part => Math.floor((part * members.length) / rows)) as [number, number]
      return packRow(prompt, members.slice(from, to), sequences)
    })
  })
}

function packRow(prompt: Encoded, places: readonly number[], sequences: readonly ScoredSequence[]): PackedRow {
  let length = prompt.tokenIds.length
  const members = places.map(sequence => {
    const start = length
    length += sequences[sequence]!.completion.length
    return { sequence, start }
  })
  return { prompt, members, length }
}

/**
 * Packs with the number of completions per row that takes the least work: the more share a row, the less often the prompt
 * is computed, and the more attention is spent on tokens that cannot see each other.
 *
 * @param workOf the work of some rows, in any unit
 */
export function packForLeastWork(
  sequences: readonly ScoredSequence[],
  workOf: (rows: readonly PackedRow[]) => number,
): PackedRow[] {
  const groups = Map.groupBy(sequences, ({ prompt }) => prompt)
  const largest = Math.max(...[...groups.values()].map(group => group.length))
  const packings = Array.from({ length: largest }, (_, i) => packRows(sequences, i + 1))
  const works = packings.map(workOf)
  return packings[works.indexOf(Math.min(...works))]! // every sequence is in a group
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
