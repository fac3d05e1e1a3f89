import type { Encoded } from '../prompt/encoded.ts'
import type { ScoredSequence } from './score-batch.ts'

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
 * finds, and the lanes into rows of that prompt, each with about as many as the others.
 *
 * @param laneLength tokens of a lane; a longer completion has one for itself
 * @param lanesPerRow the most lanes of a row
 */
export function packRows(sequences: readonly ScoredSequence[], laneLength: number, lanesPerRow: number): PackedRow[] {
  const groups = Map.groupBy(sequences.keys(), i => sequences[i]!.prompt)
  return [...groups].flatMap(([prompt, members]) => {
    const lanes = fillLanes(sequences, members, laneLength)
    const rows = Math.ceil(lanes.length / lanesPerRow)
    return Array.from({ length: rows }, (_, row) => {
      const [from, to] = [row, row + 1].map(part => Math.floor((part * lanes.length) / rows)) as [number, number] // two in
      return { prompt, lanes: lanes.slice(from, to) }
    })
  })
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
