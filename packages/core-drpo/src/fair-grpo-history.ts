import { drpoErrors } from './errors.ts'
import type { FairDomainHistory, FairGroupHistory, GroupedDomain } from './fair-groups.ts'

/** What FairGRPO has seen so far (`history: "running"`): a plain value, to be kept and saved as JSON. */
export interface FairHistory {
  readonly type: 'fair-grpo-history'
  readonly domains: readonly StoredDomain[]
}

/** One domain of a history. */
interface StoredDomain {
  readonly domain: string
  /** Rewards per vector. */
  readonly groupSize: number
  readonly labelled: readonly FairGroupHistory[]
  /** [U * groupSize] of questions without a label. */
  readonly vectors: readonly number[]
  /** [U] questions that had the vector. */
  readonly counts: readonly number[]
}

/** Checks a history that may come from JSON. @throws DRPO_STATE_INVALID */
export function parseFairHistory(value: unknown): FairHistory {
  if (value === undefined || value === null) return { type: 'fair-grpo-history', domains: [] }
  const { type, domains } = value as Partial<FairHistory> // each part is checked below
  if (type !== 'fair-grpo-history' || !Array.isArray(domains))
    throw drpoErrors.STATE_INVALID({ reason: 'it is not a value of type fair-grpo-history' })
  for (const row of domains as readonly (Partial<StoredDomain> | null)[])
    if (!isDomain(row)) throw drpoErrors.STATE_INVALID({ reason: 'a domain lacks labelled, vectors or counts' })
  return value as FairHistory // every field was checked
}

function isDomain(row: Partial<StoredDomain> | null): boolean {
  if (typeof row?.domain !== 'string' || !Number.isInteger(row.groupSize) || !Array.isArray(row.labelled)) return false
  const { vectors, counts, groupSize = 0, labelled } = row
  if (!isNumbers(vectors) || !isNumbers(counts) || vectors.length !== counts.length * groupSize) return false
  return labelled.every(isGroup)
}

function isNumbers(list: unknown): list is number[] {
  return Array.isArray(list) && list.every(Number.isFinite)
}

function isGroup(one: Partial<FairGroupHistory>): boolean {
  return typeof one?.group === 'string' && Number.isFinite(one.count) && Number.isFinite(one.sum)
}

/** What a history says of a domain; nothing of one that is new. @throws DRPO_STATE_INVALID for another group size */
export function pastDomain(history: FairHistory, domain: string, groupSize: number): FairDomainHistory {
  const row = history.domains.find(one => one.domain === domain)
  if (!row) return { labelled: [], unlabelled: undefined }
  if (row.groupSize !== groupSize)
    throw drpoErrors.STATE_INVALID({
      reason: `domain ${domain} has groups of ${row.groupSize}, and this batch has groups of ${groupSize}`,
    })
  const { labelled, vectors, counts } = row
  const points = { dimension: groupSize, vectors: Float64Array.from(vectors), weights: Float64Array.from(counts) }
  return { labelled, unlabelled: counts.length === 0 ? undefined : points }
}

/** The history with the given domains in place of what it had for them. */
export function addToFairHistory(history: FairHistory, grouped: readonly GroupedDomain[]): FairHistory {
  const updated = new Set(grouped.map(({ domain }) => domain.domain))
  const kept = history.domains.filter(({ domain }) => !updated.has(domain))
  const rows = grouped.map(({ domain, labelled, unlabelled, groupSize }) => ({
    domain: domain.domain,
    groupSize,
    labelled,
    vectors: Array.from(unlabelled?.vectors ?? []),
    counts: Array.from(unlabelled?.weights ?? []),
  }))
  return { type: 'fair-grpo-history', domains: [...kept, ...rows] }
}
