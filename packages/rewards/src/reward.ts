import type { ParsedResponse } from './parse/parsed-response.ts'
import type { Truth } from './truth.ts'

/** What a reward answers: how good the response is, and whatever explains it. */
export interface Score {
  /** In [0, 1]. */
  readonly score: number
  /** Plain data for logs: counts and numbers, no text of the response. */
  readonly detail?: Readonly<Record<string, unknown>> | undefined
}

/** What a reward answers where it cannot judge: its weight goes to the others. */
export interface NotApplicable {
  /** Why, in a few words: "no spatial truth". */
  readonly notApplicable: string
}

/** Either of what a synchronous reward may answer. */
export type RewardResult = Score | NotApplicable

/** Judges one response against the truth. Pure and total: a malformed response scores 0, it does not throw. */
export type Reward = (response: ParsedResponse, truth: Truth) => RewardResult

/** A reward that may take its time: a model that judges, a service. */
export type AsyncReward = (response: ParsedResponse, truth: Truth) => RewardResult | Promise<RewardResult>
