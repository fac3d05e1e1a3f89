import { breakdownOf, failed, type Breakdown, type Outcome, type RewardFailure } from './breakdown.ts'
import { answerOf, parseFor, type CompositeReward } from './combine.ts'
import { rewardsErrors } from './errors.ts'
import type { ParsedResponse } from './parse/parsed-response.ts'
import type { AsyncReward } from './reward.ts'
import type { RewardTerm } from './term.ts'
import type { Truth } from './truth.ts'

/** One response of a batch. Rows of one question should share one truth object: what is derived from it is kept. */
export interface BatchRow {
  readonly response: string | ParsedResponse
  readonly truth: Truth
  /** Names the sample in failures; the row's index by default. */
  readonly sampleId?: string | undefined
}

/** How a batch is scored. */
export interface BatchOptions {
  /** How long one reward may take for one response, in milliseconds; 30,000 by default. */
  readonly timeoutMs?: number | undefined
  /** How many rows may wait for their rewards at the same time; 1 by default, which keeps rewards in order. */
  readonly concurrency?: number | undefined
  /** Called for every failure as it happens, so that it reaches a log even if nobody reads the breakdowns. */
  readonly onFailure?: ((failure: RewardFailure) => void) | undefined
}

/**
 * Scores responses in order, waiting for rewards that answer with promises. A reward that throws, rejects, times out or
 * answers no score in [0, 1] is reported with the sample's id and counts as 0; the batch goes on. A synchronous reward
 * cannot be interrupted.
 *
 * @returns one breakdown per row, in the rows' order
 */
export async function scoreBatch(
  composite: CompositeReward<AsyncReward>,
  rows: readonly BatchRow[],
  { timeoutMs = 30_000, concurrency = 1, onFailure }: BatchOptions = {},
): Promise<readonly Breakdown[]> {
  const breakdowns: Breakdown[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < rows.length; index = next++) {
      const outcomes = outcomesOf(composite.terms, rows[index]!, index, timeoutMs)
      const breakdown = breakdownOf(composite.terms, isSettled(outcomes) ? outcomes : await settle(outcomes))
      for (const failure of breakdown.failures) onFailure?.(failure)
      breakdowns[index] = breakdown
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, rows.length)) }, work))
  return breakdowns
}

function outcomesOf(
  terms: readonly RewardTerm[],
  { response, truth, sampleId }: BatchRow,
  index: number,
  timeoutMs: number,
): readonly (Outcome | Promise<Outcome>)[] {
  const parsed = parseFor(response, truth)
  const id = sampleId ?? String(index)
  return terms.map(term => {
    const answer = answerOf(term, parsed, truth, id)
    return answer instanceof Promise ? withTimeout(answer, term.name, id, timeoutMs) : answer
  })
}

async function withTimeout(
  answer: Promise<Outcome>,
  reward: string,
  sampleId: string,
  timeoutMs: number,
): Promise<Outcome> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<Outcome>(resolve => {
    const error = rewardsErrors.TIMEOUT({ reward, sampleId, timeoutMs })
    timer = setTimeout(() => resolve(failed(reward, sampleId, error)), timeoutMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

function settle(outcomes: readonly (Outcome | Promise<Outcome>)[]): Promise<readonly Outcome[]> {
  return Promise.all(outcomes.map(outcome => Promise.resolve(outcome)))
}

function isSettled(outcomes: readonly (Outcome | Promise<Outcome>)[]): outcomes is readonly Outcome[] {
  return !outcomes.some(outcome => outcome instanceof Promise)
}
