import { isHintedError, type HintedError } from '@qoq-med/errors'
import { trainerErrors } from '../errors.ts'

/** Where a step is: what an error of it names. */
export interface StepPlace {
  readonly stage: string
  readonly step: number
}

/** A difficulty of a step that does not know yet which step it is in; `atStep` makes it an error. */
export class StepFault extends Error {
  readonly isNotFinite: boolean
  readonly #at: (place: StepPlace) => HintedError

  constructor(isNotFinite: boolean, at: (place: StepPlace) => HintedError) {
    super('a fault of a step')
    this.isNotFinite = isNotFinite
    this.#at = at
  }

  /** The error, with stage and step. */
  at(place: StepPlace): HintedError {
    return this.#at(place)
  }
}

/** A value that is not finite. @param where which sample or samples, and what else is known */
export function notFinite(what: string, where: string, cause?: unknown): StepFault {
  return new StepFault(true, place => trainerErrors.NOT_FINITE({ what, ...place, where }, { cause }))
}

/** Refuses a value that is not finite. @param samples ids of those that took part @throws StepFault */
export function requireFinite(what: string, value: number, samples: readonly string[]): void {
  if (!Number.isFinite(value)) throw notFinite(what, listed(samples))
}

/** What lower packages call a value that is not finite. */
const foreign: Readonly<Record<string, { readonly what: string; readonly isQuoted: boolean }>> = {
  TENSOR_NOT_FINITE: { what: 'gradient', isQuoted: true },
  MODEL_LOGITS_NOT_FINITE: { what: 'answer of the policy', isQuoted: false },
}

/** Does a part of a step, and names the samples that took part where something in it is not finite. @throws StepFault */
export async function naming<Value>(samples: readonly string[], work: () => Promise<Value> | Value): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    const row = isHintedError(cause) && Object.hasOwn(foreign, cause.code) ? foreign[cause.code] : undefined
    if (row === undefined || !(cause instanceof Error)) throw cause
    const sentence = cause.message.charAt(0).toLowerCase() + cause.message.slice(1).replace(/\.$/, '')
    throw notFinite(row.what, row.isQuoted ? `${sentence}; ${listed(samples)}` : listed(samples), cause)
  }
}

/** Does a step: the only place that adds stage and step to what went wrong in it. @throws TRAINER_NOT_FINITE, TRAINER_LOGPROB_GAP */
export async function atStep<Value>(place: StepPlace, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof StepFault ? error.at(place) : error
  }
}

/** Tells whether a stage leaves something out for this error instead of stopping. */
export function isLeftOut({ onNotFinite }: { readonly onNotFinite: 'stop' | 'skip' }, error: unknown): boolean {
  if (onNotFinite !== 'skip') return false
  return error instanceof StepFault ? error.isNotFinite : isHintedError(error) && error.code === 'TRAINER_NOT_FINITE'
}

function listed(samples: readonly string[]): string {
  const ids = [...new Set(samples)]
  return `sample${ids.length === 1 ? '' : 's'} ${ids.join(', ')}`
}
