import { readFileSync } from 'node:fs'
import type { RewardBatch } from '../src/index.ts'

type Rows = readonly (readonly number[])[]
type AdvantagesAndReturns = { readonly advantages: Rows; readonly returns: Rows }

/** One case of oracles/rl/advantages.json: padded rows [B][T] with a mask; entries without `_f64` are float32. */
export interface AdvantageCase {
  readonly token_level_rewards: Rows
  readonly response_mask: Rows
  readonly group: readonly number[]
  readonly values: Rows
  readonly reward_baselines: readonly number[]
  readonly gamma: number
  readonly lam: number
  readonly grpo: Rows
  readonly rloo: Rows
  readonly reinforce_pp: AdvantagesAndReturns
  readonly remax: Rows
  readonly gae_values_masked: AdvantagesAndReturns
  readonly gae_values_unmasked: AdvantagesAndReturns
  readonly gae_unwhitened_valid_tokens_f64: Rows
  readonly grpo_f64: Rows
  readonly rloo_f64: Rows
  readonly 'grpo_trl_eps1e-4_f64': Rows
  readonly dr_grpo_no_std_f64: Rows
  readonly policy_loss: {
    readonly log_probs: Rows
    readonly old_log_probs: Rows
    readonly advantages: Rows
    readonly clip_low: number
    readonly clip_high: number
    readonly clip_dual: number
    readonly loss: number
    readonly clipfrac_higher: number
    readonly clipfrac_lower: number
    readonly ppo_kl: number
    readonly grad_log_probs: Rows
  }
  readonly paper_objective: {
    readonly ref_log_probs: Rows
    readonly clip: number
    readonly beta: number
    readonly loss: number
    readonly grad_log_probs: Rows
  }
  readonly value_loss: {
    readonly vpreds: Rows
    readonly returns_is_values_plus: number
    readonly cliprange: number
    readonly loss: number
    readonly clipfrac: number
    readonly grad_vpreds: Rows
  }
}

const file = JSON.parse(readFileSync(new URL('../fixtures/advantages.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly AdvantageCase[]
} // the file's layout

/** A copy of oracles/rl/advantages.json (seed 4409; torch and verl versions are named inside), each case with a name. */
export const advantageCases: readonly (AdvantageCase & { readonly name: string })[] = file.cases.map((item, index) => ({
  ...item,
  name: `case ${index} (${item.group.length} x ${item.values[0]!.length}, γ ${item.gamma}, λ ${item.lam})`,
}))

/** The unmasked entries of padded rows. */
export function validTokens(rows: Rows, mask: Rows): number[][] {
  return rows.map((row, response) => row.filter((_, token) => mask[response]![token] === 1))
}

/** The case as a batch of one domain. */
export function advantageBatch(item: AdvantageCase): RewardBatch {
  const mask = item.response_mask
  return {
    rewards: item.token_level_rewards.map(row => row.reduce((sum, value) => sum + value, 0)),
    questionIds: item.group,
    domains: item.group.map(() => 'ecg'),
    lengths: mask.map(row => row.reduce((sum, value) => sum + value, 0)),
    baselines: item.reward_baselines,
    values: validTokens(item.values, mask),
    tokenRewards: validTokens(item.token_level_rewards, mask), // dense in the last four cases
  }
}
