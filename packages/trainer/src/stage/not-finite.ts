import { isHintedError } from '@qoq-med/errors'
import { trainerErrors } from '../errors.ts'

/** Where a step met a value that is not finite. */
export interface StepPlace {
  readonly stage: string
  readonly step: number
  /** Ids of the samples that took part. */
  readonly samples: readonly string[]
}

/** Refuses a loss that is not finite. @throws TRAINER_NOT_FINITE */
export function requireFinite(what: string, value: number, place: StepPlace): void {
  if (Number.isFinite(value)) return
  throw trainerErrors.NOT_FINITE({ what, stage: place.stage, step: place.step, where: listed(place) })
}

/** An optimizer names the parameter whose gradient is not finite; which step and samples it was, only the stage knows. */
export function placed(cause: unknown, place: StepPlace): unknown {
  if (!isHintedError(cause) || cause.code !== 'TENSOR_NOT_FINITE') return cause
  const sentence = cause.message.charAt(0).toLowerCase() + cause.message.slice(1).replace(/\.$/, '')
  const where = `${sentence}; ${listed(place)}`
  return trainerErrors.NOT_FINITE({ what: 'gradient', stage: place.stage, step: place.step, where }, { cause })
}

/** Tells whether a stage leaves the step out for this error instead of stopping. */
export function isLeftOut({ onNotFinite }: { readonly onNotFinite: 'stop' | 'skip' }, error: unknown): boolean {
  return onNotFinite === 'skip' && isHintedError(error) && error.code === 'TRAINER_NOT_FINITE'
}

function listed({ samples }: StepPlace): string {
  const ids = [...new Set(samples)]
  return `sample${ids.length === 1 ? '' : 's'} ${ids.join(', ')}`
}
