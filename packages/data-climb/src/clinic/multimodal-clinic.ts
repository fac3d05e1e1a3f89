import { chestXray } from './chest-xray.ts'
import type { StudyDomain } from './clinic-domain.ts'
import { ecgClinic } from './ecg-clinic.ts'
import type { RandomStream } from './random-stream.ts'

/** What a diagnosis shows in each modality. */
interface Presentation {
  /** Whether the lung is opaque. */
  readonly isOpaque: boolean
  /** Whether the atria fibrillate or flutter; the patient then has no fever, and the other way round. */
  readonly isArrhythmic: boolean
}

/**
 * Four diagnoses that no modality tells alone: the X-ray says whether a lung is opaque; the ECG (atrial arrhythmia or not) and the
 * record (fever or not) say the same second thing. So the X-ray and one of the other two are needed, and suffice.
 */
const presentations: ReadonlyMap<string, Presentation> = new Map(
  Object.entries({
    Pneumonia: { isOpaque: true, isArrhythmic: false },
    'Heart Failure': { isOpaque: true, isArrhythmic: true },
    'Infection elsewhere': { isOpaque: false, isArrhythmic: false },
    'Atrial Arrhythmia alone': { isOpaque: false, isArrhythmic: true },
  }),
)

/** Simulated admissions with a chest X-ray, an ECG and a short record, whose diagnosis needs two of the three. */
export const multimodalClinic: StudyDomain = {
  type: 'study',
  domain: 'multimodal',
  title: 'Mini clinic: admission with chest X-ray, ECG and record (simulated)',
  cue: 'chest X-ray, ECG and record',
  labels: [...presentations.keys()],
  answerMode: 'single',
  cases: [
    { answer: ['Pneumonia'], weight: 1 },
    { answer: ['Heart Failure'], weight: 1 },
    { answer: ['Infection elsewhere'], weight: 1 },
    { answer: ['Atrial Arrhythmia alone'], weight: 1 },
  ],
  examine: ([diagnosis = ''], streams, { contrast, severity }) => {
    const { isOpaque, isArrhythmic } = presentations.get(diagnosis)! // a label of this table
    const { image, findings } = chestXray.draw([isOpaque ? 'Lung Opacity' : 'No Finding'], streams, contrast)
    const ecg = ecgClinic.simulate([isArrhythmic ? 'A. Fib/Aflutter' : 'Normal'], streams, severity)
    return {
      image,
      // A box supports the answer, so it has its name.
      findings: findings.map(finding => ({ ...finding, label: diagnosis })),
      ecg: { ...ecg, findings: ecg.findings.map(finding => ({ ...finding, label: diagnosis })) },
      record: recordText(!isArrhythmic, streams.patient),
    }
  },
}

/** Two lines as an admission note has them; only the temperature and the white cells tell something. */
function recordText(hasFever: boolean, random: RandomStream): string {
  const temperature = hasFever ? random.between(38.2, 39.8) : random.between(36.2, 37.2)
  const whiteCells = hasFever ? random.between(12, 19) : random.between(5, 9)
  const rows = [
    ['temperature', `${temperature.toFixed(1)} °C`],
    ['white cells', `${whiteCells.toFixed(1)} /nL`],
    ['systolic pressure', `${Math.round(random.between(108, 148))} mmHg`],
    ['saturation', `${Math.round(random.between(91, 97))} %`],
    ['creatinine', `${random.between(0.7, 1.3).toFixed(1)} mg/dL`],
  ]
  return `Admission: ${rows.map(([name, value]) => `${name} ${value}`).join(', ')}.`
}
