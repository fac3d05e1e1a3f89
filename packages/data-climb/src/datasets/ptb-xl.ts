import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { defineDataset, type DatasetRow } from '../dataset/dataset.ts'
import type { Split } from '../sample/sample.ts'
import { challengeRows, ecgSeconds, type PatientOfRecord } from './challenge-rows.ts'
import { ecgClasses, exclusiveEcgClasses, type EcgClass } from '../ecg/snomed-classes.ts'
import { ecgNames } from './label-names.ts'

const index = 'ptbxl_database.csv'
/** Records of the Challenge packaging; those of PhysioNet are `00001_hr`. */
const challengeNames = /^HR\d+$/

/** Diagnostic statements of PTB-XL by superclass, and its two atrial rhythms; other statements describe form or rhythm. */
const statementsByClass: Partial<Readonly<Record<EcgClass, readonly string[]>>> = {
  Normal: ['NORM'],
  'Conduction Delay': 'LAFB IRBBB 1AVB IVCD CRBBB CLBBB LPFB WPW ILBBB 3AVB 2AVB'.split(' '),
  Hypertrophy: 'LVH LAO/LAE RVH RAO/RAE SEHYP'.split(' '),
  'Myocardial Infarction': 'IMI ASMI ILMI AMI ALMI INJAS LMI INJAL IPLMI IPMI INJIN PMI INJLA INJIL'.split(' '),
  STTC: 'NDT NST_ DIG LNGQT ISC_ ISCAL ISCIN ISCIL ISCAS ISCLA ANEUR EL ISCAN'.split(' '),
  'A. Fib/Aflutter': ['AFIB', 'AFLT'],
}

/** PTB-XL: 21,799 resting ECGs of 10 s from one German centre, in either of its two packagings. */
export const ptbXl = defineDataset({
  id: 'ptb_xl',
  download: { type: 'physionet', project: 'ptb-xl', version: '1.0.3' },
  title: 'PTB-XL',
  domain: 'ecg',
  cue: '12-lead ECG',
  labels: ecgClasses,
  ...ecgNames,
  answerMode: 'multi',
  exclusiveLabels: exclusiveEcgClasses,
  access: 'open',
  licence: 'CC BY 4.0',
  url: 'https://physionet.org/content/ptb-xl/1.0.3/',
  layout: 'ptbxl_database.csv with records500/ (PhysioNet), or WFDB_PTBXL/HR*.hea and HR*.mat (Challenge)',
  splitRule:
    'official strat_fold: 1-8 train, 9 valid, 10 test; Challenge packaging without the index: hash of the record id',
  spatialTruth: 'none',
  differences: [
    'Both packagings are read; the public loader downloads one and reads the other.',
    'The official patient-disjoint folds are used; the public loader splits recordings of one patient.',
    'T inversion is STTC; the public loader calls it Myocardial Infarction here and STTC elsewhere.',
    'Normal means a normal ECG: the statement NORM, or in the Challenge packaging, whose codes have no such statement, a sinus rhythm with no code of another class. The public loader calls every sinus rhythm Normal, 88 % of the set. A recording that is Normal and an infarction is a contradiction, which `verify` reports.',
    'The set of classes is kept; the public loader draws one at random.',
  ],
  locations: [
    { folder: '.', marker: index },
    { folder: 'ptb-xl', marker: index },
    ...['WFDB_PTBXL', 'training/ptb-xl', '.'].map(place => ({ folder: place, marker: /^HR\d+\.hea$/ })),
  ],
  rows: async folder => {
    const hasNative = (await folder.size(index)) !== undefined
    if (!hasNative) return challengeRows(folder, { names: challengeNames, classesOf: withoutMereRhythm })
    const native = await nativeRows(folder)
    const records = await challengeRows(folder, {
      names: challengeNames,
      patientOf: patientsOf(native),
      classesOf: withoutMereRhythm,
    })
    return records.length > 0 ? records : native
  },
})

/** The PhysioNet packaging: one row per recording, statements as a Python dictionary of likelihoods. */
async function nativeRows(folder: DatasetFolder): Promise<DatasetRow[]> {
  const rows = await folder.readCsv(index, ['ecg_id', 'patient_id', 'scp_codes', 'strat_fold', 'filename_hr'])
  return rows.map(({ cells, place }) => ({
    key: (cells['ecg_id'] ?? '').padStart(5, '0'),
    place,
    patientId: `${Number(cells['patient_id'])}`,
    split: splitOfFold(Number(cells['strat_fold'])),
    labels: classesOfStatements(cells['scp_codes'] ?? ''),
    media: { type: 'ecg', header: `${cells['filename_hr']}.hea`, maxSeconds: ecgSeconds },
  }))
}

/** A sinus rhythm beside another class is a rhythm, not a normal ECG. */
function withoutMereRhythm(classes: readonly EcgClass[]): readonly EcgClass[] {
  return classes.length > 1 ? classes.filter(name => name !== 'Normal') : classes
}

function splitOfFold(fold: number): Split {
  return fold <= 8 ? 'train' : fold === 9 ? 'valid' : 'test'
}

/** Superclasses of the diagnostic statements and atrial rhythms, whatever their likelihood; Other where there is none. */
function classesOfStatements(dictionary: string): EcgClass[] {
  const statements = new Set([...dictionary.matchAll(/'([^']+)'\s*:/g)].map(match => match[1] ?? ''))
  if (statements.size === 0) return []
  const classes = ecgClasses.filter(name => statementsByClass[name]?.some(code => statements.has(code)))
  return classes.length > 0 ? classes : ['Other']
}

/** Challenge record HR06000 is recording 6000 of the index. */
function patientsOf(native: readonly DatasetRow[]): PatientOfRecord {
  const byId = new Map(native.map(row => [row.key, row]))
  return record => {
    const row = byId.get(record.replace(/\D/g, ''))
    return row && { patientId: row.patientId, ...(row.split && { split: row.split }) }
  }
}
