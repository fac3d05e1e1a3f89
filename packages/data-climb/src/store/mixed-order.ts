import { createHash } from 'node:crypto'
import { dataErrors } from '../errors.ts'

/** A dataset or an index to draw from. */
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

/**
 * Draws rows from several sources without end, in an order that depends on the sources and the seed alone. Among the
 * first n draws a source has its share of n, off by fewer draws than there are sources; it gives all its rows once, shuffled,
 * before it gives any a second time. Memory does not grow with the sources.
 *
 * Several readers share an order by taking every n-th draw: see `shareOf`.
 *
 * @throws DATA_OPTION_INVALID when there is no source, or a size or weight is not above 0
 */
export function* mixedOrder(sources: readonly MixedSource[], seed: number): Generator<MixedRow> {
  checkSources(sources)
  const weights = sources.map(({ weight = 1 }) => weight)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const drawn = sources.map(() => 0)
  const passes = sources.map((source, i) => shuffledPass(source.rows, `${seed}|${i}|0`))
  for (let draw = 1; ; draw++) {
    const source = mostBehind(weights.map((weight, i) => (weight * draw) / total - drawn[i]!)) // one per source
    const { rows } = sources[source]! // an index of sources
    const at = drawn[source]! % rows // an index of sources
    if (at === 0 && drawn[source]! > 0)
      passes[source] = shuffledPass(rows, `${seed}|${source}|${drawn[source]! / rows}`) // an index of sources
    drawn[source]! += 1
    yield { source, row: passes[source]!(at) } // an index of sources
  }
}

/** The draws of one reader of several: every draw belongs to exactly one, and all together have the order. */
export function* shareOf<Item>(
  order: Iterable<Item>,
  { reader, readers }: { readonly reader: number; readonly readers: number },
): Generator<Item> {
  let i = 0
  for (const item of order) if (i++ % readers === reader) yield item
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

function mostBehind(deficits: readonly number[]): number {
  return deficits.reduce((best, deficit, i) => (deficit > deficits[best]! + 1e-9 ? i : best), 0) // an index of the list
}

/**
 * A permutation of 0 … rows - 1 that is computed, not stored: a Feistel network over the next power of four, walked until
 * it falls inside (Black & Rogaway 2002, cycle walking).
 */
function shuffledPass(rows: number, name: string): (at: number) => number {
  const half = Math.max(1, Math.ceil(Math.log2(Math.max(2, rows)) / 2))
  const mask = 2 ** half - 1
  const digest = createHash('sha256').update(name).digest()
  const keys = Array.from({ length: 6 }, (_, i) => digest.readUInt32LE(i * 4))
  const step = (value: number): number => {
    let [left, right] = [Math.floor(value / 2 ** half), value & mask]
    for (const key of keys) [left, right] = [right, (left ^ mixedBits(right ^ key)) & mask]
    return left * 2 ** half + right
  }
  return at => {
    let value = step(at)
    while (value >= rows) value = step(value)
    return value
  }
}

/** Spreads the bits of a 32-bit number (the finaliser of MurmurHash3). */
function mixedBits(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
