import { drpoErrors } from './errors.ts'
import type { WeightedPoints } from './k-means/unique-vectors.ts'

/**
 * The reward vectors of all batches so far, domain by domain (`history: "running"`). A plain value: pass it in, keep what
 * is returned, save it as JSON in a checkpoint.
 */
export interface DrpoHistory {
  readonly type: 'drpo-history'
  readonly domains: readonly DomainHistory[]
}

/** The different reward vectors of one domain. U vectors of G rewards. */
export interface DomainHistory {
  readonly domain: string
  /** G */
  readonly groupSize: number
  /** [U * G] vector by vector. */
  readonly vectors: readonly number[]
  /** [U] questions that had the vector. */
  readonly counts: readonly number[]
}

/** Checks a history that may come from JSON. @throws DRPO_STATE_INVALID */
export function parseDrpoHistory(value: unknown): DrpoHistory {
  if (value === undefined || value === null) return { type: 'drpo-history', domains: [] }
  const { type, domains } = value as Partial<DrpoHistory> // each part is checked below
  if (type !== 'drpo-history' || !Array.isArray(domains)) throw invalid('it is not a value of type drpo-history')
  for (const row of domains as readonly (Partial<DomainHistory> | null)[]) {
    if (typeof row?.domain !== 'string') throw invalid('a domain has no name')
    const size = row.groupSize
    if (!Number.isInteger(size) || !isFiniteList(row.vectors) || !isFiniteList(row.counts))
      throw invalid(`domain ${row.domain} lacks groupSize, vectors or counts`)
    if (row.vectors.length !== row.counts.length * size!)
      throw invalid(
        `domain ${row.domain} has ${row.vectors.length} rewards for ${row.counts.length} vectors of ${size}`,
      )
  }
  return value as DrpoHistory // every field was checked
}

function isFiniteList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(Number.isFinite)
}

function invalid(reason: string): Error {
  return drpoErrors.STATE_INVALID({ reason })
}

/** The vectors of one domain, or undefined for a domain that is new. @throws DRPO_STATE_INVALID for another group size */
export function pastVectors(history: DrpoHistory, domain: string, groupSize: number): WeightedPoints | undefined {
  const past = history.domains.find(row => row.domain === domain)
  if (past === undefined) return undefined
  if (past.groupSize !== groupSize)
    throw invalid(`domain ${domain} has groups of ${past.groupSize}, and this batch has groups of ${groupSize}`)
  return {
    dimension: groupSize,
    vectors: Float64Array.from(past.vectors),
    weights: Float64Array.from(past.counts),
  }
}

/** The history with the given domains' vectors in place of what it had for them. */
export function extendHistory(
  history: DrpoHistory,
  updates: readonly { readonly domain: string; readonly points: WeightedPoints }[],
): DrpoHistory {
  const updated = new Set(updates.map(({ domain }) => domain))
  const kept = history.domains.filter(({ domain }) => !updated.has(domain))
  const rows = updates.map(({ domain, points }) => ({
    domain,
    groupSize: points.dimension,
    vectors: Array.from(points.vectors),
    counts: Array.from(points.weights),
  }))
  return { type: 'drpo-history', domains: [...kept, ...rows] }
}
