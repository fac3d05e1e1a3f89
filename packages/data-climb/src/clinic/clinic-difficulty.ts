import type { ClinicPatient } from './clinic-patient.ts'

/** How visible findings are. */
export type ClinicDifficulty = keyof typeof difficulties

/** How plain the findings of a clinic are: a patient's own factor between two ends, times the contrast of all. */
interface Difficulty {
  readonly contrast: number
  readonly least: number
  readonly most: number
  /** Whether diseases of the heart are more or less pronounced too, and findings fainter in patients over 75. */
  readonly isAmbiguous?: boolean
}

/**
 * Clinics by difficulty. In `ambiguous` one, what a patient has may be plain, faint or not to be seen at all, so that no
 * policy can be right everywhere; and it is fainter in patients over 75, so that a group is worse served.
 */
export const difficulties = {
  easy: { contrast: 1.25, least: 0.6, most: 1.1 },
  medium: { contrast: 1, least: 0.6, most: 1.1 },
  ambiguous: { contrast: 1.25, least: 0, most: 1.1, isAmbiguous: true },
  hard: { contrast: 0.6, least: 0.6, most: 1.1 },
} as const satisfies Readonly<Record<string, Difficulty>>

/** Names of the difficulties, from the plainest findings to the faintest. */
export const clinicDifficulties = Object.keys(difficulties) as [ClinicDifficulty, ...ClinicDifficulty[]] // the table's own keys

/** What the findings of a patient over 75 have left of their visibility where the clinic is ambiguous. */
const faintWithAge = 0.7

/** The contrast of a patient's findings. @param share where the patient lies between the two ends, 0 to 1 */
export function visibilityOf(difficulty: ClinicDifficulty, { age }: ClinicPatient, share: number): number {
  const { contrast, least, most, isAmbiguous = false }: Difficulty = difficulties[difficulty]
  return contrast * (least + share * (most - least)) * (isAmbiguous && age > 75 ? faintWithAge : 1)
}

/** How pronounced a patient's disease of the heart is, from 0 (as a healthy heart) to 1. */
export function severityOf(difficulty: ClinicDifficulty, patient: ClinicPatient, share: number): number {
  const { isAmbiguous = false }: Difficulty = difficulties[difficulty]
  return isAmbiguous ? Math.min(1, visibilityOf(difficulty, patient, share)) : 1
}
