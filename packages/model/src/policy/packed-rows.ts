import type { Encoded } from '../prompt/encoded.ts'
import type { ScoredSequence } from './score-batch.ts'

/** A prompt and completions of it, by their place in the batch: the prompt is computed once for all of them. */
export interface PackedRow {
  readonly prompt: Encoded
  readonly members: readonly number[]
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
      return { prompt, members: members.slice(from, to) }
    })
  })
}

/**
 * Packs with the number of completions per row that takes the least work: the more share a row, the less often the prompt
 * is computed, and the more places stay empty where a prompt has fewer completions than another.
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
