import { keyedPermutation } from './keyed-permutation.ts'
import type { FactTable, RowFacts } from '../sample/sample-facts.ts'

/** How a source is drawn from beside others. */
export interface SourceShare {
  /** Its share of the draws relative to the other sources, whatever its size. By its number of samples where no source has one, 1 where another has. */
  readonly weight?: number
  /** Draws evenly from its domains, or from its labels, where a sample counts for the rarest of its own. */
  readonly balanced?: 'domain' | 'label'
}

/** Rows that are drawn alike, and their share of the draws. */
export interface Stratum {
  readonly rows: Uint32Array
  readonly weight: number
}

/** Rows of one source that take part, by their number among all sources. */
export interface SourceRows extends SourceShare {
  readonly rows: Uint32Array
}

/**
 * Sorts the rows of all sources into strata. Where no source is weighted or balanced there is one, from which every row is drawn
 * once before any is drawn twice.
 */
export function strataOf(sources: readonly SourceRows[], factsOf: (row: number) => RowFacts): Stratum[] {
  const used = sources.filter(({ rows }) => rows.length > 0)
  const isWeighted = used.some(({ weight }) => weight !== undefined)
  if (!isWeighted && used.every(({ balanced }) => balanced === undefined)) return [{ rows: joined(used), weight: 1 }]
  return used.flatMap(({ rows, balanced, weight = isWeighted ? 1 : rows.length }) => {
    const groups = balanced === undefined ? [rows] : groupsOf(rows, groupNames(rows, balanced, factsOf))
    return groups.map(group => ({ rows: group, weight: weight / groups.length }))
  })
}

function joined(sources: readonly SourceRows[]): Uint32Array {
  const all = new Uint32Array(sources.reduce((sum, { rows }) => sum + rows.length, 0))
  let at = 0
  for (const { rows } of sources) {
    all.set(rows, at)
    at += rows.length
  }
  return all
}

/** The name of the group of each row. */
function groupNames(
  rows: Uint32Array,
  balanced: 'domain' | 'label',
  factsOf: (row: number) => RowFacts,
): (row: number) => string {
  if (balanced === 'domain') return row => factsOf(row).domain
  const counts = new Map<string, number>()
  const keysOf = (row: number): string[] => {
    const { dataset, answer } = factsOf(row)
    return answer.map(label => JSON.stringify([dataset, label]))
  }
  for (const row of rows) for (const key of keysOf(row)) counts.set(key, (counts.get(key) ?? 0) + 1)
  const rarer = (a: string, b: string): string => (counts.get(b)! < counts.get(a)! ? b : a) // every key was counted
  return row => keysOf(row).reduce((rarest, key) => (rarest === '' ? key : rarer(rarest, key)), '')
}

function groupsOf(rows: Uint32Array, nameOf: (row: number) => string): Uint32Array[] {
  const groups = new Map<string, number[]>()
  for (const row of rows) {
    const name = nameOf(row)
    const group = groups.get(name)
    if (group) group.push(row)
    else groups.set(name, [row])
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => Uint32Array.from(group))
}

/** Rows of a source that are kept: those that a test passes, and of them at most `limit`, drawn by seed. */
export function keptRows(
  facts: FactTable,
  isKept: (facts: RowFacts) => boolean,
  { limit = Infinity, seed = 42 }: { readonly limit?: number | undefined; readonly seed?: number | undefined } = {},
): Uint32Array {
  const passing = Uint32Array.from({ length: facts.length }, (_, row) => row).filter(row => isKept(facts.at(row)))
  if (passing.length <= limit) return passing
  const order = keyedPermutation(passing.length, `${seed}|limit`)
  return Uint32Array.from({ length: limit }, (_, place) => passing[order(place)]!).toSorted() // places of `passing`
}
