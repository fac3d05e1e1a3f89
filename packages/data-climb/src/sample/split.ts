import type { Split } from './sample.ts'
import { hashFraction } from './stable-hash.ts'

/** Shares of the patients that are held out. */
export interface SplitFractions {
  readonly valid: number
  readonly test: number
}

/** A tenth for validation and a tenth for testing. */
export const defaultSplitFractions: SplitFractions = { valid: 0.1, test: 0.1 }

/**
 * Assigns a patient to a part of a dataset. The part depends on the dataset, the patient and the seed alone, so it does
 * not change when records are added, and no patient is in two parts.
 */
export function splitOfPatient(
  dataset: string,
  patientId: string,
  { seed, fractions = defaultSplitFractions }: { readonly seed: number; readonly fractions?: SplitFractions },
): Split {
  const fraction = hashFraction(`${dataset}|${patientId}|${seed}`)
  if (fraction < fractions.test) return 'test'
  return fraction < fractions.test + fractions.valid ? 'valid' : 'train'
}
