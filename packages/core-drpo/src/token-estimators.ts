import {
  defineEstimator,
  type AdvantageEstimator,
  type TokenAdvantages,
  type Unstamped,
} from './advantage-estimator.ts'
import type { OptionTable } from './option-schema.ts'
import { groupQuestions } from './reward-batch.ts'
import { requireTokenRows, tokenRewards } from './token-rows.ts'

/** The parts of an advantage that differs between tokens. B responses. */
export interface TokenStages {
  readonly type: 'token'
  /** [B] r */
  readonly rewards: Float64Array
  /** [B][lengths[i]] advantages before whitening. */
  readonly raw: readonly Float64Array[]
  /** Mean of `raw` over all tokens of the batch. */
  readonly mean: number
  /** Deviation of `raw` over all tokens of the batch (n - 1). */
  readonly deviation: number
}

/** What REINFORCE++ and GAE return. */
export type TokenResult = TokenAdvantages<TokenStages>

const discount = { type: 'number', default: 1, minimum: 0, maximum: 1, about: 'γ, discount per token' } as const

const whitening = {
  whiten: { type: 'boolean', default: true, about: 'bring the tokens of the batch to mean 0 and deviation 1' },
  epsilon: { type: 'number', default: 1e-8, minimum: 0, maximum: 1, about: 'added to the variance when whitening' },
} as const satisfies OptionTable

/**
 * REINFORCE++ (Hu 2025): the discounted return of each token, whitened over all tokens of the batch.
 *
 *     R[t] = r[t] + γ · R[t+1],   Â = (R - mean R) / sqrt(var R + ε)
 */
export const reinforcePlusPlus: AdvantageEstimator<TokenResult> = defineEstimator({
  name: 'reinforce++',
  about: 'REINFORCE++: discounted token returns, whitened over the batch.',
  needs: { lengths: true },
  options: { gamma: discount, ...whitening },
  estimate: (batch, { gamma, whiten, epsilon }, run) => {
    groupQuestions(batch)
    const returns = tokenRewards(batch, 'reinforce++').map(row => discountedSums(row, gamma))
    return tokenResult(batch.rewards, returns, returns, { whiten, epsilon }, run.stages)
  },
})

/**
 * Generalised advantage estimation (Schulman et al. 2016) for PPO with a critic, whitened over all tokens of the batch.
 * The value after the last token is 0.
 *
 *     δ[t] = r[t] + γ · V[t+1] - V[t],   A[t] = δ[t] + γ·λ · A[t+1],   returns = A + V
 */
export const gae: AdvantageEstimator<TokenResult> = defineEstimator({
  name: 'gae',
  about: 'GAE: temporal differences of a critic, summed with γ and λ, whitened over the batch (PPO).',
  needs: { lengths: true, values: true },
  options: {
    gamma: discount,
    lambda: { type: 'number', default: 1, minimum: 0, maximum: 1, about: 'λ, 0 one step, 1 the whole return' },
    ...whitening,
  },
  estimate: (batch, { gamma, lambda, whiten, epsilon }, run) => {
    groupQuestions(batch)
    const rewards = tokenRewards(batch, 'gae')
    const lengths = rewards.map(row => row.length)
    const values = requireTokenRows(batch, 'values', lengths, 'gae')
    const raw = rewards.map((row, response) => {
      const value = values[response]!
      const differences = row.map((reward, token) => reward + gamma * (value[token + 1] ?? 0) - value[token]!)
      return discountedSums(differences, gamma * lambda)
    })
    const returns = raw.map((row, response) => row.map((advantage, token) => advantage + values[response]![token]!))
    return tokenResult(batch.rewards, raw, returns, { whiten, epsilon }, run.stages)
  },
})

function discountedSums(row: Float64Array, discountPerToken: number): Float64Array {
  const sums = row.slice()
  for (let token = row.length - 2; token >= 0; token--) sums[token]! += discountPerToken * sums[token + 1]!
  return sums
}

function tokenResult(
  rewards: ArrayLike<number>,
  raw: readonly Float64Array[],
  returns: readonly Float64Array[],
  { whiten, epsilon }: { readonly whiten: boolean; readonly epsilon: number },
  withStages = true,
): Unstamped<TokenResult> {
  const { mean, variance } = momentsOf(raw)
  const scale = 1 / Math.sqrt(variance + epsilon)
  const white = (row: Float64Array): Float64Array => row.map(value => (variance === 0 ? 0 : (value - mean) * scale))
  const advantages = raw.map(row => (whiten ? white(row) : row.slice()))
  const stages: TokenStages = {
    type: 'token',
    rewards: Float64Array.from(rewards),
    raw,
    mean,
    deviation: Math.sqrt(variance),
  }
  return { level: 'token', advantages, returns, stages: withStages ? stages : undefined, state: undefined }
}

function momentsOf(rows: readonly Float64Array[]): { mean: number; variance: number } {
  const count = rows.reduce((sum, row) => sum + row.length, 0)
  let mean = 0
  for (const row of rows) for (const value of row) mean += value / count
  let squares = 0
  for (const row of rows) for (const value of row) squares += (value - mean) ** 2
  return { mean, variance: count > 1 ? squares / (count - 1) : 0 }
}
