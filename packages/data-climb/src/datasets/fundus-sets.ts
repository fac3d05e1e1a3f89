import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { defineDataset } from '../dataset/dataset.ts'
import { pictureSuffixes } from './class-folders.ts'
import { csvRows, labelled, picture, wholeCell } from './csv-rows.ts'
import { davisNames, retinopathyNames } from './label-names.ts'

const fundus = { domain: 'fundus', cue: 'retinal image', answerMode: 'single', spatialTruth: 'none' } as const
const grades = ['No DR', 'Mild DR', 'Moderate DR', 'Severe DR', 'Proliferative DR'] as const

/** Messidor-2: 1,748 fundus photographs; 1,744 have a grade. */
export const messidor2 = defineDataset({
  ...fundus,
  id: 'messidor_2',
  download: { type: 'manual', how: 'ask for the pictures at ADCIS; the grades are on Kaggle' },
  title: 'Messidor-2',
  labels: grades,
  ...retinopathyNames,
  access: 'request',
  licence: 'research and education use only (ADCIS); grades as on their Kaggle page',
  url: 'https://www.adcis.net/en/third-party/messidor2/',
  layout: 'messidor_data.csv, IMAGES/*.JPG|png, and messidor-2.csv (pairs of eyes) where fetched',
  splitRule: 'by hash of the exam where messidor-2.csv is there, else of the picture',
  differences: [
    'Both eyes of an exam are in one part.',
    'File names are matched without regard to case.',
    'One answer; the public prompt invites several.',
  ],
  locations: [{ folder: '.', marker: 'IMAGES' }],
  rows: async folder => {
    const onDisk = new Map((await folder.list('IMAGES', pictureSuffixes)).map(name => [name.toLowerCase(), name]))
    const exams = await eyePairs(folder)
    const rows = await folder.readCsv('messidor_data.csv', [])
    const [image, grade] =
      'id_code' in (rows[0]?.cells ?? {}) ? ['id_code', 'diagnosis'] : ['image_id', 'adjudicated_dr_grade']
    return csvRows(folder, { file: 'messidor_data.csv', columns: [image, grade] }, cells => {
      const key = cells[image] ?? ''
      const file = onDisk.get(key.toLowerCase()) ?? key
      return {
        key,
        patientId: exams.get(key.toLowerCase()) ?? key,
        labels: labelled(gradeName(cells[grade])),
        media: picture(`IMAGES/${file}`),
      }
    })
  },
})

/** Each picture's exam; the file separates both eyes by a semicolon. */
async function eyePairs(folder: DatasetFolder): Promise<Map<string, string>> {
  if ((await folder.size('messidor-2.csv')) === undefined) return new Map()
  const lines = new TextDecoder().decode(await folder.read('messidor-2.csv')).split(/\r?\n/)
  return new Map(
    lines.slice(1).flatMap(line => line.split(';').map(eye => [eye.trim().toLowerCase(), line.trim()] as const)),
  )
}

function gradeName(cell: string | undefined): string | undefined {
  return grades[wholeCell(cell) ?? -1]
}

/** APTOS 2019: 3,662 graded fundus photographs. */
export const aptos2019 = defineDataset({
  ...fundus,
  id: 'aptos_2019',
  download: { type: 'kaggle-competition', competition: 'aptos2019-blindness-detection' },
  title: 'APTOS 2019',
  labels: grades,
  ...retinopathyNames,
  access: 'kaggle',
  licence: 'Kaggle competition rules',
  url: 'https://www.kaggle.com/competitions/aptos2019-blindness-detection',
  layout: 'train.csv and train_images/<id_code>.png',
  splitRule: 'by hash of the picture; the set names no patients',
  differences: ['One answer; the public prompt invites several.'],
  locations: [{ folder: '.', marker: 'train_images' }],
  rows: folder =>
    csvRows(folder, { file: 'train.csv', columns: ['id_code', 'diagnosis'] }, cells => {
      const key = cells['id_code'] ?? ''
      return { key, labels: labelled(gradeName(cells['diagnosis'])), media: picture(`train_images/${key}.png`) }
    }),
})

const davisGrades = ['No DR', 'Simple DR', 'Pre-proliferative DR', 'Proliferative DR'] as const
const davisCodes = ['ndr', 'sdr', 'ppdr', 'pdr']

/** Jichi: 9,939 fundus photographs with Davis grades. */
export const jichi = defineDataset({
  ...fundus,
  id: 'jichi',
  download: { type: 'manual', how: 'fetch the archive 4879853 from figshare' },
  title: 'Jichi DR',
  labels: davisGrades,
  ...davisNames,
  access: 'open',
  licence: 'CC BY 4.0',
  url: 'https://figshare.com/articles/figure/Davis_Grading_of_One_and_Concatenated_Figures/4879853/1',
  layout: 'list.csv and pictures in the root, dmr/ or documents/',
  splitRule: 'by hash of the patient in the file name (<patient>_<n>_<L|R>.jpg)',
  differences: [
    'All pictures of a patient are in one part.',
    'Four classes with No DR; table 5 lists three.',
    'The grade of the one figure is found by its column name.',
  ],
  locations: ['.', 'dmr', 'documents'].map(folder => ({ folder, marker: 'list.csv' })),
  rows: folder =>
    csvRows(folder, { file: 'list.csv', columns: ['Image', 'Davis_grading_of_one_figure'] }, cells => {
      const key = cells['Image'] ?? ''
      const written = (cells['Davis_grading_of_one_figure'] ?? '').trim().toLowerCase()
      const code = davisCodes.indexOf(written)
      const patientId = /^(.+?)_\d+_[lr]\./i.exec(key)?.[1] ?? key
      return {
        key,
        patientId,
        labels: labelled(davisGrades[code >= 0 ? code : (wholeCell(written) ?? -1)]),
        media: picture(key),
      }
    }),
})
