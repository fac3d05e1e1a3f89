import { parseOptions, type OptionTable, type OptionValues } from './option-schema.ts'
import type { RewardBatch } from './reward-batch.ts'

/** One advantage per response, or one per token; the same for every estimator. B responses. */
export type AdvantageResult<Stages = unknown, State = unknown> =
  | ResponseAdvantages<Stages, State>
  | TokenAdvantages<Stages, State>

/** Advantages that every token of a response shares. */
export interface ResponseAdvantages<Stages = unknown, State = undefined> {
  readonly level: 'response'
  /** Name of the estimator that made it. */
  readonly estimator: string
  /** [B] in batch order. */
  readonly advantages: Float64Array
  /** Every intermediate value; undefined after `stages: false`. */
  readonly stages: Stages | undefined
  /** What the next batch's call takes; undefined for estimators without memory. */
  readonly state: State
}

/** Advantages that differ between the tokens of a response. */
export interface TokenAdvantages<Stages = unknown, State = undefined> {
  readonly level: 'token'
  /** Name of the estimator that made it. */
  readonly estimator: string
  /** [B][lengths[i]] in batch order. */
  readonly advantages: readonly Float64Array[]
  /** [B][lengths[i]] what a critic should have said before each token. */
  readonly returns: readonly Float64Array[]
  /** Every intermediate value; undefined after `stages: false`. */
  readonly stages: Stages | undefined
  /** What the next batch's call takes; undefined for estimators without memory. */
  readonly state: State
}

/** What one call is given beside batch and options. */
export interface EstimateRun {
  /** Return every intermediate value (default), or only the advantages. */
  readonly stages?: boolean | undefined
  /** The state that the call for the batch before returned, possibly read back from JSON. */
  readonly state?: unknown
}

/** What an estimator reads of a batch beside rewards, question ids and domains: who makes batches for it provides that. */
export interface EstimatorNeeds {
  /** The demographic group of each question's patient, where one is known. */
  readonly demographics?: boolean
  /** Each response's divergence from the reference policy. */
  readonly kl?: boolean
  /** Tokens of each response. */
  readonly lengths?: boolean
  /** Reward of the likeliest response to the same question. */
  readonly baselines?: boolean
  /** A critic's value before each token. */
  readonly values?: boolean
  /** Fewest responses of a question. Default 1. */
  readonly smallestGroup?: number
}

/** An algorithm that turns rewards into advantages. */
export interface AdvantageEstimator<Result extends AdvantageResult = AdvantageResult> {
  /** Name in configurations, such as `drpo`. */
  readonly name: string
  /** One sentence for lists and help texts. */
  readonly about: string
  readonly options: OptionTable
  readonly needs: EstimatorNeeds
  /** Checks the options (see `OptionTable`) and estimates. */
  readonly estimate: (batch: RewardBatch, options?: unknown, run?: EstimateRun) => Result
}

/** A result before its estimator's name is written on it. */
export type Unstamped<Result extends AdvantageResult> = Result extends unknown ? Omit<Result, 'estimator'> : never

/** What `defineEstimator` takes: an estimator whose options are typed by their table. */
export interface EstimatorDefinition<Table extends OptionTable, Result extends AdvantageResult> {
  readonly name: string
  readonly about: string
  readonly options: Table
  /** Nothing but rewards, question ids and domains where it is absent. */
  readonly needs?: EstimatorNeeds
  readonly estimate: (batch: RewardBatch, options: OptionValues<Table>, run: EstimateRun) => Unstamped<Result>
}

/**
 * Makes an estimator from a typed function: options are checked against their table before it is called, and its name is
 * written on the result.
 *
 * @example
 * const centred = defineEstimator({
 *   name: 'centred', about: 'Reward minus a constant.',
 *   options: { centre: { type: 'number', default: 0.5, minimum: 0, maximum: 1, about: 'what is subtracted' } },
 *   estimate: (batch, { centre }) => ({
 *     level: 'response', stages: undefined, state: undefined,
 *     advantages: Float64Array.from(batch.rewards, reward => reward - centre),
 *   }),
 * })
 * advantageEstimators.register(centred)
 */
export function defineEstimator<const Table extends OptionTable, Result extends AdvantageResult>(
  definition: EstimatorDefinition<Table, Result>,
): AdvantageEstimator<Result> {
  const { name, about, options, needs = {}, estimate } = definition
  return {
    name,
    about,
    options,
    needs,
    estimate: (batch, given, run = {}) => {
      const result = { ...estimate(batch, parseOptions(name, options, given), run), estimator: name }
      return result as unknown as Result // TypeScript does not see that a part taken from each of a union and given back is whole
    },
  }
}
