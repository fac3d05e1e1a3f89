import type { Domain, Split } from '../sample/sample.ts'
import type { ClinicCase, ClinicDomain } from './clinic-domain.ts'
import { randomStream } from './random-stream.ts'

/** How samples are shared among domains: as uneven as in the paper, or evenly (figure 5). */
export type ClinicPreset = 'imbalanced' | 'balanced'

/** Relative sizes of the domains under `imbalanced`: chest X-ray and CT many, mammography and ultrasound few. */
const imbalancedShares: Readonly<Record<Domain, number>> = {
  chest_xray: 28,
  ct: 22,
  ecg: 12,
  dermoscopy: 10,
  mri: 9,
  pathology: 7,
  fundus: 6,
  mammography: 4,
  ultrasound: 2,
  multimodal: 5,
}

/** One sample to make. */
export interface PlannedView {
  /** `<domain>-<patient>-<view>` */
  readonly key: string
  readonly patientId: string
  readonly split: Split
  readonly answer: readonly string[]
}

/** Parts of successive patients with one answer: 7 train, 2 test, 1 valid of 10, held-out ones early so that small clinics have them. */
const splitCycle: readonly Split[] = [
  'train',
  'test',
  'train',
  'valid',
  'train',
  'train',
  'test',
  'train',
  'train',
  'train',
]
const maxViews = 3

/**
 * Divides a number of samples among domains by largest remainder, each domain getting at least one.
 *
 * @returns samples per domain, in the order of `domains`
 */
export function shareAmongDomains(size: number, domains: readonly ClinicDomain[], preset: ClinicPreset): number[] {
  const weights = domains.map(({ domain }) => (preset === 'balanced' ? 1 : imbalancedShares[domain]))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const exact = weights.map(weight => (size * weight) / total)
  const counts = exact.map(share => Math.max(1, Math.floor(share)))
  const short = (i: number) => exact[i]! - counts[i]! // indexes of both
  const indexes = counts.map((_, i) => i)
  const difference = () => size - counts.reduce((sum, count) => sum + count, 0)
  while (difference() > 0) counts[indexes.reduce((best, i) => (short(i) > short(best) ? i : best))]! += 1 // indexes of counts
  while (difference() < 0) counts[indexes.reduce((best, i) => (counts[i]! > counts[best]! ? i : best))]! -= 1 // indexes of counts
  return counts
}

/**
 * Plans the patients and views of a domain: answers in their frequencies, one to three views per patient, and a part per
 * patient, so that no patient is in two parts.
 */
export function planDomain({ domain, cases }: ClinicDomain, count: number, seed: number): PlannedView[] {
  const random = randomStream(`plan|${domain}|${seed}`)
  const patientsOfCase = new Map<ClinicCase, number>()
  const views: PlannedView[] = []
  for (let patient = 1; views.length < count; patient++) {
    const clinicCase = mostMissing(cases, patientsOfCase)
    const earlier = patientsOfCase.get(clinicCase) ?? 0
    patientsOfCase.set(clinicCase, earlier + 1)
    const patientId = `${domain}-${String(patient).padStart(4, '0')}`
    const split = splitCycle[earlier % splitCycle.length] ?? 'train'
    const wanted = Math.min(1 + Math.floor(random.uniform() * maxViews), count - views.length)
    for (let view = 1; view <= wanted; view++)
      views.push({ key: `${patientId}-${view}`, patientId, split, answer: clinicCase.answer })
  }
  return views
}

/** The case whose number of patients is furthest below its share. */
function mostMissing(cases: ClinicDomain['cases'], patientsOfCase: ReadonlyMap<ClinicCase, number>): ClinicCase {
  const served = (clinicCase: ClinicCase) => ((patientsOfCase.get(clinicCase) ?? 0) + 1) / clinicCase.weight
  return cases.reduce((best, clinicCase) => (served(clinicCase) < served(best) ? clinicCase : best))
}
