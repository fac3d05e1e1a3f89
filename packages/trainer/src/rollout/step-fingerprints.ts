import { createHash } from 'node:crypto'
import type { AdvantageResult } from '@qoq-med/core-drpo'

/** What tells two runs apart at their first different bit. */
export interface StepFingerprints {
  /** First 16 digits of sha256 over the step's rewards as float64. */
  readonly rewards: string
  /** The same of its advantages, response by response. */
  readonly advantages: string
}

/** Fingerprints of a step's rewards and advantages. */
export function stepFingerprints(
  rewards: ArrayLike<number>,
  advantages: AdvantageResult['advantages'],
): StepFingerprints {
  const flat = Float64Array.from([...advantages].flatMap(each => (typeof each === 'number' ? each : [...each])))
  return { rewards: digest(Float64Array.from(rewards)), advantages: digest(flat) }
}

function digest(values: Float64Array<ArrayBuffer>): string {
  return createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex').slice(0, 16)
}
