import { z } from 'zod'
import type { CsvRow, DatasetFolder } from '../dataset/dataset-folder.ts'
import { defineDataset, type DatasetRow } from '../dataset/dataset.ts'
import { dataErrors } from '../errors.ts'
import type { Split } from '../sample/sample.ts'
import { csvRows, streamedCsvRows, type IndexedRow, labelled, picture } from './csv-rows.ts'
import { embolismNames, hemorrhageNames, malignancyNames } from './label-names.ts'

/** The 489 cases of KiTS23; their scans are not in the repository, whose download command fetches them from this host. */
const kitsCases = [...numbers(0, 299), ...numbers(400, 588)].map(number => String(number).padStart(5, '0'))

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

const ct = { domain: 'ct', answerMode: 'single' } as const

/** Windows in which radiologists look: mediastinum of a CT angiogram, soft tissue of the abdomen. */
const angiogramWindow = { center: 80, width: 700 }
const abdomenWindow = { center: 40, width: 400 }

/** INSPECT: 23,248 CT pulmonary angiograms of 19,402 patients. */
export const inspect = defineDataset({
  ...ct,
  id: 'inspect',
  download: { type: 'manual', how: 'register at Stanford AIMI and accept its research use agreement' },
  window: angiogramWindow,
  title: 'INSPECT',
  cue: 'chest CT',
  labels: ['No PE', 'Acute Subsegmental-only PE', 'Acute PE', 'Subsegmental-only PE', 'Chronic PE'],
  ...embolismNames(['No PE', 'Acute Subsegmental-only PE', 'Acute PE', 'Subsegmental-only PE', 'Chronic PE']),
  access: 'request',
  licence: 'Stanford University Dataset Research Use Agreement',
  url: 'https://som-shahlab.github.io/inspect-website/',
  layout:
    'Final_Impressions_labels.csv (or labels_*.tsv) and CTPA/<id>.nii.gz; study_mapping_*.tsv and splits_*.tsv where fetched',
  splitRule:
    'official where splits_*.tsv is there, disjoint in persons; else by hash of the person where the mapping is there, else of the study',
  spatialTruth: 'none',
  differences: [
    'Frames are axial, by the affine; the public loader cuts sagittal ones.',
    'The official split is used where its file is there; the public loader takes the first 75 % of the rows. Otherwise studies of a person are in one part where the mapping is there.',
  ],
  locations: [{ folder: '.', marker: 'CTPA' }],
  rows: async folder => {
    const file =
      (await folder.list('.', ['labels.csv', '.tsv'])).find(name => /labels/i.test(name)) ??
      'Final_Impressions_labels.csv'
    const studies = await byImpression(folder, 'study_mapping', ['image_id', 'person_id'])
    const parts = await byImpression(folder, 'splits', ['split'])
    return csvRows(folder, { file, columns: ['impression_id', 'pe_acute', 'pe_subsegmentalonly'] }, cells => {
      const key = cells['impression_id'] ?? ''
      const study = studies?.get(key)
      const media = {
        type: 'volume',
        file: `CTPA/${study?.['image_id'] ?? key}.nii.gz`,
        window: angiogramWindow,
      } as const
      const patientId = study?.['person_id'] ?? key
      const part = officialPart(parts?.get(key)?.['split'])
      return {
        key,
        patientId,
        labels: labelled(embolism(cells)),
        media,
        ...(part && { split: part }),
        ...(parts && !part && { excluded: 'it is in no part of the official split' }),
      }
    })
  },
})

/** The rows of a table of the release by impression; undefined where the table was not fetched. */
async function byImpression(
  folder: DatasetFolder,
  name: string,
  columns: readonly string[],
): Promise<Map<string, CsvRow['cells']> | undefined> {
  const file = (await folder.list('.', ['.tsv', '.csv'])).find(found => found.startsWith(name))
  if (file === undefined) return undefined
  const rows = await folder.readCsv(file, ['impression_id', ...columns])
  return new Map(rows.map(({ cells }) => [cells['impression_id'] ?? '', cells]))
}

function officialPart(name: string | undefined): Split | undefined {
  const part = name?.trim().toLowerCase() ?? ''
  return part === 'train' || part === 'test' ? part : /^(valid|validation|val)$/.test(part) ? 'valid' : undefined
}

/** First match wins; what is neither acute nor subsegmental is chronic. */
function embolism(cells: Readonly<Record<string, string>>): string | undefined {
  const isPositive = flag(cells['pe_positive'] ?? cells['pe_positive_nlp'])
  if (isPositive === undefined) return undefined
  if (!isPositive) return 'No PE'
  const [isAcute, isSubsegmental] = [flag(cells['pe_acute']), flag(cells['pe_subsegmentalonly'])]
  if (isAcute) return isSubsegmental ? 'Acute Subsegmental-only PE' : 'Acute PE'
  return isSubsegmental ? 'Subsegmental-only PE' : 'Chronic PE'
}

/** 1, 0, TRUE, FALSE; anything else (blank, Censored) is unknown. */
function flag(cell: string | undefined): boolean | undefined {
  if (/^(1(\.0)?|true)$/i.test(cell?.trim() ?? '')) return true
  return /^(0(\.0)?|false)$/i.test(cell?.trim() ?? '') ? false : undefined
}

const KidneyCases = z.array(z.object({ case_id: z.string().regex(/^case_\d+$/), malignant: z.boolean().nullable() }))

/** KiTS23: 489 contrast CTs of kidneys. */
export const kits23 = defineDataset({
  ...ct,
  id: 'kits23',
  download: {
    type: 'github',
    repository: 'neheller/kits23',
    ref: 'main',
    alsoFrom: {
      host: 'kits-imaging',
      files: Object.fromEntries(
        kitsCases.map(number => [`dataset/case_${number}/imaging.nii.gz`, `/master_${number}.nii.gz`]),
      ),
    },
  },
  window: abdomenWindow,
  title: 'KiTS23',
  cue: 'kidney CT',
  labels: ['Benign', 'Malignant'],
  ...malignancyNames,
  access: 'open',
  licence: 'CC BY-NC-SA 4.0',
  url: 'https://github.com/neheller/kits23',
  layout: 'dataset/kits23.json, dataset/case_NNNNN/imaging.nii.gz and segmentation.nii.gz',
  splitRule: 'by hash of the case; one case is one patient',
  spatialTruth: 'masks of the tumor in each frame, from segmentation.nii.gz (1 kidney, 2 tumor, 3 cyst)',
  differences: [
    'The soft-tissue window is used; the public loader uses one for lung vessels.',
    'Cases are drawn at random; the public loader evaluates on the newer cohort only.',
  ],
  locations: [
    { folder: 'dataset', marker: 'kits23.json' },
    { folder: '.', marker: 'kits23.json' },
  ],
  rows: async folder => {
    const cases = KidneyCases.safeParse(await readJson(folder, 'kits23.json'))
    if (!cases.success)
      throw dataErrors.INDEX_INVALID({ dataset: 'kits23', file: 'kits23.json', problem: 'it is no list of cases' })
    return Promise.all(cases.data.map(kidneyCase => kidneyRow(folder, kidneyCase)))
  },
})

const tumourCode = 2

async function kidneyRow(
  folder: DatasetFolder,
  { case_id: key, malignant }: z.infer<typeof KidneyCases>[number],
): Promise<DatasetRow> {
  const segmentation = `${key}/segmentation.nii.gz`
  const hasMask = (await folder.size(segmentation)) !== undefined
  return {
    key,
    place: `kits23.json ${key}`,
    patientId: key,
    labels: malignant === null ? [] : [malignant ? 'Malignant' : 'Benign'],
    media: { type: 'volume', file: `${key}/imaging.nii.gz`, window: abdomenWindow },
    ...(hasMask && { masks: [{ volume: segmentation, codes: [tumourCode] }], maskLabel: 'tumor' }),
  }
}

async function readJson(folder: DatasetFolder, file: string): Promise<unknown> {
  try {
    return JSON.parse(new TextDecoder().decode(await folder.read(file)))
  } catch (cause) {
    throw dataErrors.INDEX_INVALID({ dataset: folder.dataset, file, problem: 'it is no valid JSON' }, { cause })
  }
}

/** Head CT haemorrhage: 2,501 slices of 82 patients, two windows each. */
export const hemorrhage = defineDataset({
  ...ct,
  id: 'hemorrhage',
  download: { type: 'kaggle', dataset: 'vbookshelf/computed-tomography-ct-images' },
  title: 'CT-ICH',
  cue: 'head CT slice in brain and bone window',
  labels: ['No Hemorrhage', 'Has Hemorrhage'],
  ...hemorrhageNames,
  access: 'kaggle',
  licence: 'CC BY 4.0',
  url: 'https://physionet.org/content/ct-ich/',
  layout: 'hemorrhage_diagnosis.csv and Patients_CT/<patient>/{brain,bone}/<slice>.jpg',
  splitRule: 'by hash of the patient',
  spatialTruth: 'masks: Patients_CT/<patient>/brain/<slice>_HGE_Seg.jpg, cut at 128',
  differences: ['A missing window is left out; the public loader shows the other one twice.'],
  locations: [{ folder: '.', marker: 'hemorrhage_diagnosis.csv' }],
  rows: async folder => {
    const rows = await folder.readCsv('hemorrhage_diagnosis.csv', ['PatientNumber', 'SliceNumber', 'No_Hemorrhage'])
    return Promise.all(rows.map(({ cells, place }) => headSlice(folder, cells, place)))
  },
})

async function headSlice(
  folder: DatasetFolder,
  cells: Readonly<Record<string, string>>,
  place: string,
): Promise<DatasetRow> {
  const patientId = (cells['PatientNumber'] ?? '').padStart(3, '0')
  const slice = cells['SliceNumber'] ?? ''
  const [brain, bone] = ['brain', 'bone'].map(kind => `Patients_CT/${patientId}/${kind}/${slice}.jpg`) as [
    string,
    string,
  ] // two windows
  const mask = `Patients_CT/${patientId}/brain/${slice}_HGE_Seg.jpg`
  const [hasBrain, hasBone, hasMask] = await Promise.all(
    [brain, bone, mask].map(async file => (await folder.size(file)) !== undefined),
  )
  return {
    key: `${patientId}/${slice.padStart(3, '0')}`,
    place,
    patientId,
    labels: [cells['No_Hemorrhage'] === '1' ? 'No Hemorrhage' : 'Has Hemorrhage'],
    media: { type: 'image', files: hasBrain && hasBone ? [brain, bone] : hasBone ? [bone] : [brain] },
    ...(hasMask && hasBrain && { masks: [mask], maskLabel: 'hemorrhage' }),
  }
}

/** RSPECT (RSNA-STR PE 2020): 1,790,594 slices of 7,279 CT pulmonary angiograms. */
export const rspect = defineDataset({
  ...ct,
  id: 'rspect',
  download: { type: 'kaggle-competition', competition: 'rsna-str-pulmonary-embolism-detection' },
  title: 'RSPECT',
  cue: 'chest CT slice',
  labels: ['No PE', 'Chronic PE', 'Acute PE'],
  ...embolismNames(['No PE', 'Chronic PE', 'Acute PE']),
  access: 'kaggle',
  licence: 'Kaggle competition rules',
  url: 'https://www.kaggle.com/competitions/rsna-str-pulmonary-embolism-detection',
  layout: 'train.csv and train/<StudyInstanceUID>/<SeriesInstanceUID>/<SOPInstanceUID>.dcm',
  splitRule: 'by hash of the study; the public loader splits slices, so that neighbours are on both sides',
  spatialTruth: 'none',
  differences: ['Split by study.', 'DICOM slices are read as they are, with their own window.'],
  locations: [{ folder: '.', marker: 'train.csv' }],
  rows: folder => csvRows(folder, rspectIndex, rspectRow),
  streamRows: folder => streamedCsvRows(folder, rspectIndex, rspectRow),
})

const rspectIndex = {
  file: 'train.csv',
  columns: ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'pe_present_on_image', 'chronic_pe'],
}

function rspectRow(cells: CsvRow['cells']): IndexedRow {
  const study = cells['StudyInstanceUID'] ?? ''
  const key = `${study}/${cells['SeriesInstanceUID']}/${cells['SOPInstanceUID']}`
  const label = cells['pe_present_on_image'] === '0' ? 'No PE' : cells['chronic_pe'] === '1' ? 'Chronic PE' : 'Acute PE'
  return { key, patientId: study, labels: [label], media: picture(`train/${key}.dcm`) }
}
