import { drpoErrors } from './errors.ts'
import type { WeightedPoints } from './k-means/unique-vectors.ts'

/**
 * The reward vectors of all batches so far, domain by domain (`history: "running"`). A plain value: pass it in, keep what
 * is returned, save it as JSON in a checkpoint.
 */
export interface DrpoHistory {
  readonly type: 'drpo-history'
  readonly domains: readonly DomainHistory[]
  /** Batches one by one, the oldest first, where old ones are dropped (`historyQuestions`). */
  readonly batches?: readonly HistoryBatch[]
}

/** The reward vectors of one batch. */
export interface HistoryBatch {
  /** Questions of it. */
  readonly questions: number
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
  const { type, domains, batches = [] } = value as Partial<DrpoHistory> // each part is checked below
  if (type !== 'drpo-history' || !Array.isArray(domains)) throw invalid('it is not a value of type drpo-history')
  checkDomains(domains)
  if (!Array.isArray(batches)) throw invalid('its batches are no list')
  for (const batch of batches as readonly (Partial<HistoryBatch> | null)[]) {
    if (!Number.isInteger(batch?.questions) || !Array.isArray(batch?.domains))
      throw invalid('a batch lacks questions or domains')
    checkDomains(batch.domains)
  }
  return value as DrpoHistory // every field was checked
}

function checkDomains(domains: readonly unknown[]): void {
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
}

function isFiniteList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(Number.isFinite)
}

function invalid(reason: string): Error {
  return drpoErrors.STATE_INVALID({ reason })
}

/** The vectors of one domain, or undefined for a domain that is new. @throws DRPO_STATE_INVALID for another group size */
export function pastVectors(history: DrpoHistory, domain: string, groupSize: number): WeightedPoints | undefined {
  const all = [...history.domains, ...(history.batches ?? []).flatMap(batch => batch.domains)]
  const past = all.filter(row => row.domain === domain)
  if (past.length === 0) return undefined
  for (const row of past)
    if (row.groupSize !== groupSize)
      throw invalid(`domain ${domain} has groups of ${row.groupSize}, and this batch has groups of ${groupSize}`)
  return {
    dimension: groupSize,
    vectors: Float64Array.from(past.flatMap(row => row.vectors)),
    weights: Float64Array.from(past.flatMap(row => row.counts)),
  }
}

/** The history with the given domains' vectors in place of what it had for them. */
export function extendHistory(
  history: DrpoHistory,
  updates: readonly { readonly domain: string; readonly points: WeightedPoints }[],
): DrpoHistory {
  const updated = new Set(updates.map(({ domain }) => domain))
  const kept = history.domains.filter(({ domain }) => !updated.has(domain))
  return { type: 'drpo-history', domains: [...kept, ...updates.map(historyRow)] }
}

/**
 * The history with a batch's own vectors behind it, and without its oldest batches: as many are kept as make, with a next
 * batch of the same size, at most `questions`; one in any case.
 */
export function slideHistory(
  history: DrpoHistory,
  own: readonly { readonly domain: string; readonly points: WeightedPoints }[],
  questions: number,
): DrpoHistory {
  const count = own.reduce((sum, { points }) => sum + points.weights.reduce((all, one) => all + one, 0), 0)
  const batches = [...(history.batches ?? []), { questions: count, domains: own.map(historyRow) }]
  let spanned = count + batches.reduce((sum, batch) => sum + batch.questions, 0)
  while (batches.length > 1 && spanned > questions) spanned -= batches.shift()!.questions // not empty
  return { type: 'drpo-history', domains: [], batches }
}

function historyRow({ domain, points }: { readonly domain: string; readonly points: WeightedPoints }): DomainHistory {
  return {
    domain,
    groupSize: points.dimension,
    vectors: Array.from(points.vectors),
    counts: Array.from(points.weights),
  }
}
