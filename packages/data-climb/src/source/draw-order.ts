import { dataErrors } from '../errors.ts'
import { keyedPermutation, type Permutation } from './keyed-permutation.ts'

/** Rows to draw from, and their share of the draws. */
export interface MixedSource {
  readonly rows: number
  /** Its share of the draws relative to the others, whatever its size; 1 by default. */
  readonly weight?: number
}

/** One draw: a row of a source. */
export interface MixedRow {
  readonly source: number
  readonly row: number
}

/** An endless order of draws in which any place can be looked at: nothing is stored, and nothing is replayed to get there. */
export interface DrawOrder {
  /** @param draw its number, from 0 */
  readonly at: (draw: number) => MixedRow
}

/**
 * The order in which rows of several sources are drawn; it depends on the sources and the seed alone. Draw k of a source of
 * share p stands at (k + 1/2) / p among all, so that every beginning has each source's share as nearly as whole draws allow. A source
 * gives all its rows once, shuffled, before it gives any a second time.
 *
 * @throws DATA_OPTION_INVALID when there is no source, or a size or weight is not above 0
 */
export function drawOrder(sources: readonly MixedSource[], seed: number): DrawOrder {
  checkSources(sources)
  const total = sources.reduce((sum, { weight = 1 }) => sum + weight, 0)
  const shares = sources.map(({ weight = 1 }) => weight / total)
  const passes = createPasses(sources, seed)
  return {
    at: draw => {
      const { source, turn } = turnAt(shares, draw)
      const { rows } = sources[source]! // an index of shares, of which there is one per source
      return { source, row: passes(source, Math.floor(turn / rows))(turn % rows) }
    },
  }
}

/** Whose turn a draw is, and how many turns it had before. */
interface Turn {
  readonly source: number
  readonly turn: number
}

/** Finds the draw of a number: nearly by arithmetic, then exactly by taking the next few turns in order. */
function turnAt(shares: readonly number[], draw: number): Turn {
  if (shares.length === 1) return { source: 0, turn: draw }
  const start = draw - shares.length
  const turns = shares.map(share => turnsBefore(share, start))
  for (let left = draw - turns.reduce((sum, count) => sum + count, 0); ; left--) {
    const source = nextTurn(shares, turns)
    const turn = turns[source]! // one per share
    if (left === 0) return { source, turn }
    turns[source] = turn + 1
  }
}

/** Turns of a share whose place is before `start`; exact in the numbers that `nextTurn` compares. */
function turnsBefore(share: number, start: number): number {
  let count = Math.max(0, Math.floor(start * share))
  while (count > 0 && placeOf(share, count - 1) >= start) count--
  while (placeOf(share, count) < start) count++
  return count
}

function nextTurn(shares: readonly number[], turns: readonly number[]): number {
  let best = 0
  for (let i = 1; i < shares.length; i++)
    if (placeOf(shares[i]!, turns[i]!) < placeOf(shares[best]!, turns[best]!)) best = i
  return best
}

function placeOf(share: number, turn: number): number {
  return (turn + 0.5) / share
}

/** Permutations of passes that are kept, so that neighbouring draws find theirs made. */
const keptPasses = 256

function createPasses(sources: readonly MixedSource[], seed: number): (source: number, pass: number) => Permutation {
  const kept = new Map<string, Permutation>()
  return (source, pass) => {
    const key = `${seed}|${source}|${pass}`
    const known = kept.get(key)
    if (known) return known
    const made = keyedPermutation(sources[source]!.rows, key) // an index of sources
    kept.set(key, made)
    for (const oldest of kept.keys()) if (kept.size > keptPasses) kept.delete(oldest)
    return made
  }
}

function checkSources(sources: readonly MixedSource[]): void {
  const isUsable = ({ rows, weight = 1 }: MixedSource) =>
    Number.isSafeInteger(rows) && rows > 0 && weight > 0 && weight < Infinity
  if (sources.length > 0 && sources.every(isUsable)) return
  throw dataErrors.OPTION_INVALID({
    name: 'sources',
    value: JSON.stringify(sources),
    range: 'one or more sources with rows and weights above 0',
  })
}
