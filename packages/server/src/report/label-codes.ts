import { createHash } from 'node:crypto'

/** A concept of a coding scheme. */
export interface Concept {
  readonly code: string
  readonly meaning: string
}

/** SNOMED CT concepts of labels whose meaning is exactly theirs; labels that join several findings have none. */
const concepts: ReadonlyMap<string, Concept> = new Map([
  ['pneumonia', { code: '233604007', meaning: 'Pneumonia' }],
  ['pleural effusion', { code: '60046008', meaning: 'Pleural effusion' }],
  ['edema', { code: '19242006', meaning: 'Pulmonary edema' }],
  ['cardiomegaly', { code: '8186001', meaning: 'Cardiomegaly' }],
  ['atelectasis', { code: '46621007', meaning: 'Atelectasis' }],
  ['pneumothorax', { code: '36118008', meaning: 'Pneumothorax' }],
  ['consolidation', { code: '95436008', meaning: 'Lung consolidation' }],
  ['covid-19', { code: '840539006', meaning: 'Disease caused by severe acute respiratory syndrome coronavirus 2' }],
  ['myocardial infarction', { code: '22298006', meaning: 'Myocardial infarction' }],
])

/** The SNOMED CT concept of a label, where there is one that means the same. */
export function snomedConcept(label: string): Concept | undefined {
  return concepts.get(label.toLowerCase())
}

/** A code of this project's own for a label that has no other: 16 characters at most, as DICOM wants. */
export function ownCode(label: string): string {
  return createHash('sha256').update(label.toLowerCase()).digest('hex').slice(0, 16)
}
