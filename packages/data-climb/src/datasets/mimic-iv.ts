import { defineDataset, type DatasetDefinition, type DatasetRow } from '../dataset/dataset.ts'
import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import type { QuestionTemplates } from '../sample/question.ts'
import { statFingerprint } from '../media/media-fingerprint.ts'
import { admissionTables, readAdmissions, type Admission } from './mimic-iv-admissions.ts'
import { collectRecords, recordTables, recordText, type AdmissionRecord } from './mimic-iv-record.ts'
import { attachedMedia, mediaTables, type AttachedMedia } from './mimic-iv-media.ts'
import { ecgSeconds } from './challenge-rows.ts'
import { mortalityNames, stayNames } from './label-names.ts'

/** The tables of MIMIC-IV that both tasks read. */
const mimicIv = {
  type: 'physionet',
  project: 'mimiciv',
  version: '3.1',
  isCredentialed: true,
  only: ['hosp/', 'icu/'],
} as const

const shared = {
  domain: 'multimodal',
  cue: 'record of the first 48 hours in hospital',
  answerMode: 'single',
  access: 'physionet-credentialed',
  licence: 'PhysioNet Credentialed Health Data License 1.5.0',
  url: 'https://physionet.org/content/mimiciv/',
  layout:
    'multimodal/mimiciv/{hosp,icu}/*.csv.gz, chest_xray/mimic-cxr and ecg/mimiciv (or mimiciv, mimic-cxr-jpg and mimic-iv-ecg), CSV files gzipped or not',
  splitRule:
    'by hash of the subject, the same for both tasks; the public loader cuts the sorted admissions, so that patients are on both sides',
  splitGroup: 'mimic_iv',
  spatialTruth: 'none',
  locations: [
    { folder: '.', marker: 'multimodal/mimiciv/hosp' },
    { folder: '.', marker: 'mimiciv/hosp' },
    { folder: '.', marker: 'hosp' },
  ],
} as const

const commonDifferences = [
  'Input is what carries a time in the 48 hours from admission; nothing of the outcome (discharge time and place, death, diagnoses, reports) is in it.',
  'A chest X-ray and an ECG must lie in the window where those modules are there; the public loader attaches those of any date.',
  'Laboratory values are those of one fluid (blood unless they say otherwise), with unit, first, last, least and greatest; a clinical list decides which come first. The tables are parsed once for both tasks.',
  'Laboratory values without an admission are found by patient and time; values that are words are kept.',
  'A stay that ends within 48 hours has a shorter record, which tells something of the answer; the paper leaves such stays in, and so do we.',
]

/** The four classes of D.3.1, by days from admission to discharge. */
const stayLabels = ['A: 0-4 days', 'B: 5-8 days', 'C: 9-12 days', 'D: more than 12 days'] as const

/** MIMIC-IV length of stay (D.3.1). */
export const mimicIvLos = defineDataset({
  ...shared,
  id: 'mimic_iv_los',
  download: mimicIv,
  lacksAfterDownload:
    'Chest X-rays and ECGs are projects of their own: put mimic-cxr-jpg and mimic-iv-ecg beside hosp and icu.',
  title: 'MIMIC-IV: length of stay',
  labels: stayLabels,
  ...stayNames,
  differences: [
    ...commonDifferences,
    'Days are fractional and the edges 4, 8 and 12: A to 4, B above 4 to 8, C above 8 to 12, D above; the bins of the paper leave gaps between whole days.',
  ],
  templates: templatesOf('How long is the hospital stay of this patient', 'Give the class of the length of stay'),
  rows: folder => rowsOf(folder, ({ stayDays }) => stayLabels[stayClass(stayDays)]),
} satisfies DatasetDefinition)

function stayClass(days: number): 0 | 1 | 2 | 3 {
  if (days <= 4) return 0
  if (days <= 8) return 1
  return days <= 12 ? 2 : 3
}

const mortalityLabels = ['negative', 'positive (death or discharge to hospice within 48 h)'] as const

/** MIMIC-IV 48-hour in-hospital mortality (D.3.2). */
export const mimicIv48Ihm = defineDataset({
  ...shared,
  id: 'mimic_iv_48ihm',
  download: mimicIv,
  lacksAfterDownload:
    'Chest X-rays and ECGs are projects of their own: put mimic-cxr-jpg and mimic-iv-ecg beside hosp and icu.',
  title: 'MIMIC-IV: 48-hour in-hospital mortality',
  labels: mortalityLabels,
  ...mortalityNames,
  differences: [
    ...commonDifferences,
    'Positive is death or discharge to hospice within 48 hours, as the paper has it; the public loader stores the inverse, ignores hospice, and takes the death of the last listed admission.',
    'Where only the date of death is known (death after discharge), it counts when that day begins within 48 hours.',
  ],
  templates: templatesOf(
    'Does this patient die or go to hospice within 48 hours',
    'Predict death or discharge to hospice within 48 hours',
  ),
  rows: folder => rowsOf(folder, ({ isDeadIn48h }) => mortalityLabels[isDeadIn48h ? 1 : 0]),
} satisfies DatasetDefinition)

function templatesOf(question: string, task: string): QuestionTemplates {
  const phrasings = [
    `${question}? Judge by the {cue} and choose one: {labels}.`,
    `${task} from the {cue}. Choose one label: {labels}.`,
    `Read the {cue}. ${question}? Answer with one of: {labels}.`,
  ] as const
  return { single: phrasings, multi: phrasings }
}

/** What both tasks are made of. */
interface Hospital {
  readonly admissions: readonly Admission[]
  readonly media: ReadonlyMap<string, AttachedMedia>
  readonly records: ReadonlyMap<string, AdmissionRecord>
}

/** The folder that was read last: parsing its tables takes hours, and both tasks need them. */
let kept: { readonly key: string; readonly hospital: Promise<Hospital> } | undefined

/** Reads the tables, unless they were read and have not changed since. */
async function hospitalOf(folder: DatasetFolder): Promise<Hospital> {
  const tables = [...(await recordTables(folder)), ...(await mediaTables(folder)), ...(await admissionTables(folder))]
  const key = `${folder.root}\n${await statFingerprint(tables.map(file => folder.resolve(file)))}`
  if (kept?.key === key) return kept.hospital
  const hospital = readHospital(folder)
  kept = { key, hospital }
  hospital.catch(() => (kept = undefined)) // the caller gets the error; the next one reads again
  return hospital
}

async function readHospital(folder: DatasetFolder): Promise<Hospital> {
  const admissions = await readAdmissions(folder)
  const media = await attachedMedia(folder, admissions)
  const usable = admissions.filter(
    ({ excluded, hadmId }) => excluded === undefined && media.get(hadmId)?.excluded === undefined,
  )
  return { admissions, media, records: await collectRecords(folder, usable) }
}

async function rowsOf(folder: DatasetFolder, labelOf: (admission: Admission) => string): Promise<DatasetRow[]> {
  const { admissions, media, records } = await hospitalOf(folder)
  return admissions.map(admission => {
    const { images = [], ecg, excluded } = media.get(admission.hadmId) ?? {}
    const why = admission.excluded ?? excluded
    return {
      key: admission.hadmId,
      place: admission.place,
      patientId: admission.subjectId,
      labels: [labelOf(admission)],
      text: recordText(admission, records.get(admission.hadmId)),
      media: { type: 'record', images, ...(ecg !== undefined && { header: ecg, maxSeconds: ecgSeconds }) },
      ...(why !== undefined && { excluded: why }),
    }
  })
}
