import type { Encoded } from '../prompt/encoded.ts'
import type { ScoredSequence } from './scored-sequence.ts'

/**
 * A prompt, computed once, and lanes of completions of it, by their place in the batch. The completions of a lane follow
 * each other; each sees the prompt and itself.
 */
export interface PackedRow {
  readonly prompt: Encoded
  readonly lanes: readonly (readonly number[])[]
}

/**
 * Puts the completions of each prompt object, such as the rollouts of a question, into as few lanes as the longest-first rule
 * finds. Each prompt gets one row.
 *
 * @param laneLength tokens of a lane; a longer completion has one for itself
 */
export function packRows(sequences: readonly ScoredSequence[], laneLength: number): PackedRow[] {
  const groups = Map.groupBy(sequences.keys(), i => sequences[i]!.prompt)
  return [...groups].map(([prompt, members]) => ({ prompt, lanes: fillLanes(sequences, members, laneLength) }))
}

/** Divides rows so that none has more lanes than `most`: each into rows of its prompt with about as many as the others. */
export function divideRows(rows: readonly PackedRow[], most: number): PackedRow[] {
  return rows.flatMap(({ prompt, lanes }) => {
    const count = Math.ceil(lanes.length / most)
    return Array.from({ length: count }, (_, part) => {
      const [from, to] = [part, part + 1].map(at => Math.floor((at * lanes.length) / count)) as [number, number] // two in
      return { prompt, lanes: lanes.slice(from, to) }
    })
  })
}

/** The most lanes that a row has. */
export function mostLanes(rows: readonly PackedRow[]): number {
  return Math.max(...rows.map(({ lanes }) => lanes.length))
}

/** First fit, the longest first. */
function fillLanes(sequences: readonly ScoredSequence[], members: readonly number[], laneLength: number): number[][] {
  const lengthOf = (sequence: number): number => sequences[sequence]!.completion.length
  const lanes: { readonly members: number[]; used: number }[] = []
  for (const sequence of members.toSorted((a, b) => lengthOf(b) - lengthOf(a) || a - b)) {
    const lane = lanes.find(({ used }) => used + lengthOf(sequence) <= laneLength)
    if (lane) {
      lane.members.push(sequence)
      lane.used += lengthOf(sequence)
    } else lanes.push({ members: [sequence], used: lengthOf(sequence) })
  }
  return lanes.map(lane => lane.members)
}
