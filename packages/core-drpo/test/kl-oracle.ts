import { readFileSync } from 'node:fs'
import type { KlEstimator } from '../src/index.ts'

/** A copy of oracles/rl/kl.json (seed 4409): rows [Q][G][T] with a mask, and the public code's commented-out damping. */
export const klOracle = JSON.parse(readFileSync(new URL('../fixtures/kl.json', import.meta.url), 'utf8')) as {
  readonly kl: readonly {
    readonly logp: readonly number[][][]
    readonly ref_logp: readonly number[][][]
    readonly mask: readonly number[][][]
    readonly question_kl_literal_eq4: readonly number[]
    readonly question_kl_montecarlo: readonly number[]
    readonly question_kl_low_var: readonly number[]
    readonly rollout_low_var_kl: readonly (readonly number[])[]
    readonly per_token: Readonly<Record<Exclude<KlEstimator, 'literal'>, readonly number[][][]>>
  }[]
  readonly repo_damping_commented_out: readonly {
    readonly scores: readonly number[]
    readonly kl_rollout: readonly number[]
    readonly z: readonly number[]
    readonly t: number
    readonly m: readonly number[]
    readonly out: readonly number[]
  }[]
} // the file's layout
