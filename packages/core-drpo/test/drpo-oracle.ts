import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { RewardBatch } from '../src/index.ts'

/** One domain of a case, as the oracle computes it. */
export interface OracleDomain {
  readonly domain: string
  readonly questions: readonly number[]
  readonly N: number
  readonly n_unique: number
  readonly inertia: readonly number[]
  readonly k: number
  readonly elbow_margin: number | null
  readonly mu_g: number
  readonly T_g: number
  readonly clusters: readonly {
    readonly size: number
    readonly members: readonly number[]
    readonly mu_c: number
    readonly T_c: number
    readonly centroid: readonly number[] | null
  }[]
  readonly sklearn_auto: { readonly inertia: readonly number[]; readonly k_elbow: number }
}

/** One case of oracles/rl/drpo.json. */
export interface OracleCase {
  readonly name: string
  readonly rewards: readonly (readonly number[])[]
  readonly domains: readonly string[]
  readonly kl_question: readonly number[] | null
  readonly options: { readonly eps: number; readonly p: number; readonly tau: number }
  readonly paper: {
    readonly mu: readonly number[]
    readonly sigma: readonly number[]
    readonly s: readonly (readonly number[])[]
    readonly domains: readonly OracleDomain[]
    readonly T_product: readonly number[]
    readonly pre: readonly (readonly number[])[]
    readonly kl_times_pre: readonly (readonly number[])[] | null
    readonly t_p: number | null
    readonly m: readonly (readonly number[])[] | null
    readonly scaled: readonly (readonly number[])[]
    readonly sigma_scaled: number
    readonly advantages: readonly (readonly number[])[]
    readonly clustering_may_be_ambiguous: boolean
  }
  readonly paper_ddof0_advantages?: readonly (readonly number[])[]
  readonly reference_single_step: { readonly advantages: readonly (readonly (number | 'NaN')[])[] }
}

/** A case whose rewards are not finite, with the response that is not. */
export interface RefusedCase {
  readonly name: string
  readonly rewards: readonly (readonly (number | string)[])[]
  readonly domains: readonly string[]
  readonly paper: { readonly error: string }
}

/** One run of the public code with its history. */
export interface OracleHistory {
  readonly steps: readonly {
    readonly rewards: readonly (readonly number[])[]
    readonly domains: readonly string[]
    readonly reference_with_history: { readonly advantages: readonly (readonly (number | 'NaN')[])[] }
    readonly paper_per_step: { readonly advantages: readonly (readonly number[])[] }
  }[]
}

// A copy of oracles/rl/drpo.json, compressed (its script, versions and seed are named inside).
const file = JSON.parse(gunzipSync(readFileSync(new URL('../fixtures/drpo.json.gz', import.meta.url))).toString()) as {
  readonly cases: readonly (OracleCase | RefusedCase)[]
  readonly reference_history: readonly OracleHistory[]
} // the file's layout

const isRefused = (item: OracleCase | RefusedCase): item is RefusedCase => 'error' in item.paper
const isAccepted = (item: OracleCase | RefusedCase): item is OracleCase => !isRefused(item)

/** Cases with numbers. */
export const drpoCases: readonly OracleCase[] = file.cases.filter(isAccepted)

/** Cases that must be refused. */
export const refusedCases: readonly RefusedCase[] = file.cases.filter(isRefused)

/** Runs of the public code with its running history. */
export const referenceHistories: readonly OracleHistory[] = file.reference_history

/** The case as a batch; the question's KL lies on its first response, since only the sum matters. */
export function oracleBatch(
  item: Pick<OracleCase, 'rewards' | 'domains'> & { readonly kl_question?: readonly number[] | null },
): RewardBatch {
  const groupSize = item.rewards[0]!.length
  const perResponse = <T>(values: readonly T[]): T[] =>
    values.flatMap(value => Array.from({ length: groupSize }, () => value))
  const kl = item.kl_question?.flatMap(value => [value, ...Array.from({ length: groupSize - 1 }, () => 0)])
  return {
    rewards: Float64Array.from(item.rewards.flat()),
    questionIds: perResponse(item.rewards.map((_, question) => `q${question}`)),
    domains: perResponse(item.domains),
    kl,
  }
}
