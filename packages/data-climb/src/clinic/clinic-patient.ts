import { randomStream } from './random-stream.ts'

/** A simulated patient. */
export interface ClinicPatient {
  readonly sex: 'F' | 'M'
  /** In years, 18 to 92. */
  readonly age: number
}

/** Draws a patient's sex and age from a stream of their own: nothing else of the patient depends on them but what `difficulty` says. */
export function clinicPatient(domain: string, seed: number, patientId: string): ClinicPatient {
  const random = randomStream(`patient|${domain}|${seed}|${patientId}`)
  return { sex: random.pick(['F', 'M']), age: Math.floor(random.between(18, 93)) }
}
