import { defineDataset } from '../dataset/dataset.ts'
import { ownValue } from '../sample/own-value.ts'
import { csvRows, labelled, picture } from './csv-rows.ts'
import { lesionNames, malignancyNames } from './label-names.ts'

const lesionLabels = ['Melanoma', 'Nevus', 'Basal Cell Carcinoma', 'AKIEC', 'Other'] as const

const isicTruth = 'ISIC_2020_Training_GroundTruth.csv'

/** ISIC 2020: 33,126 dermoscopy pictures of 2,056 patients. */
export const isic2020 = defineDataset({
  id: 'isic_2020',
  download: { type: 'kaggle-competition', competition: 'siim-isic-melanoma-classification' },
  title: 'ISIC 2020',
  domain: 'dermoscopy',
  cue: 'dermoscopy image',
  labels: ['Malignant', 'Benign'],
  ...malignancyNames,
  answerMode: 'single',
  access: 'open',
  licence: 'CC BY-NC 4.0',
  url: 'https://challenge2020.isic-archive.com/',
  layout:
    'ISIC_2020_Training_GroundTruth.csv and train/<image_name>.jpg, or train.csv and jpeg/train/<image_name>.jpg as Kaggle has them; ISIC_2020_Training_Duplicates.csv where fetched',
  splitRule: 'by hash of the patient id',
  spatialTruth: 'none',
  differences: [
    'Split by patient; the public loader draws two splits that overlap.',
    'The second picture of a known duplicate pair is left out.',
  ],
  locations: [
    { folder: '.', marker: isicTruth },
    { folder: '.', marker: 'jpeg/train' },
  ],
  rows: async folder => {
    const duplicates = 'ISIC_2020_Training_Duplicates.csv'
    const isListed = (await folder.size(duplicates)) !== undefined
    const repeated = new Set(
      isListed ? (await folder.readCsv(duplicates, ['image_name_2'])).map(({ cells }) => cells['image_name_2']) : [],
    )
    const isOfKaggle = (await folder.size(isicTruth)) === undefined
    const pictures = isOfKaggle ? 'jpeg/train' : 'train'
    return csvRows(
      folder,
      { file: isOfKaggle ? 'train.csv' : isicTruth, columns: ['image_name', 'patient_id', 'benign_malignant'] },
      cells => {
        const key = cells['image_name'] ?? ''
        const label = ownValue({ malignant: 'Malignant', benign: 'Benign' }, cells['benign_malignant'] ?? '')
        return {
          key,
          patientId: cells['patient_id'] || key,
          labels: labelled(label),
          media: picture(`${pictures}/${key}.jpg`),
          ...(repeated.has(key) && { excluded: 'the picture repeats another one' }),
        }
      },
    )
  },
})

const classOfColumn = {
  MEL: 'Melanoma',
  NV: 'Nevus',
  BCC: 'Basal Cell Carcinoma',
  AKIEC: 'AKIEC',
  BKL: 'Other',
  DF: 'Other',
  VASC: 'Other',
} as const

/** Folder that the archive of lesion masks unpacks to. */
const lesionMasks = 'HAM10000_segmentations_lesion_tschandl'

/** HAM10000 (ISIC 2018 task 3): 10,015 dermoscopy pictures of 7,470 lesions. */
export const ham10000 = defineDataset({
  id: 'ham10000',
  download: { type: 'manual', how: 'fetch the ISIC 2018 task 3 training data from challenge.isic-archive.com' },
  title: 'HAM10000',
  domain: 'dermoscopy',
  cue: 'dermoscopy image',
  labels: lesionLabels,
  ...lesionNames,
  answerMode: 'single',
  access: 'open',
  licence: 'CC BY-NC 4.0 (CLIMB records CC BY-NC-SA 4.0)',
  url: 'https://doi.org/10.7910/DVN/DBW86T',
  layout:
    'ISIC2018_Task3_Training_GroundTruth.csv, ISIC2018_Task3_Training_Input/<image>.jpg, and HAM10000_metadata(.csv) and HAM10000_segmentations_lesion_tschandl/<image>_segmentation.png where fetched',
  splitRule: 'by hash of the lesion id where HAM10000_metadata is there, else of the picture',
  spatialTruth: 'lesion masks, where the Dataverse archive is unpacked',
  differences: ['Split by lesion where known; the public loader draws two splits of pictures that overlap.'],
  locations: [{ folder: '.', marker: 'ISIC2018_Task3_Training_GroundTruth.csv' }],
  rows: async folder => {
    const metadata = (await folder.list('.', ['ham10000_metadata', 'ham10000_metadata.csv']))[0]
    const lesions = new Map(
      metadata === undefined
        ? []
        : (await folder.readCsv(metadata, ['lesion_id', 'image_id'])).map(({ cells }) => [
            cells['image_id'],
            cells['lesion_id'],
          ]),
    )
    const masks = new Set(await folder.list(lesionMasks, ['_segmentation.png']))
    const columns = ['image', ...Object.keys(classOfColumn)]
    return csvRows(folder, { file: 'ISIC2018_Task3_Training_GroundTruth.csv', columns }, cells => {
      const key = cells['image'] ?? ''
      const label = Object.entries(classOfColumn).find(([column]) => Number(cells[column]) === 1)?.[1]
      return {
        key,
        patientId: lesions.get(key) ?? key,
        labels: labelled(label),
        media: picture(`ISIC2018_Task3_Training_Input/${key}.jpg`),
        ...(masks.has(`${key}_segmentation.png`) && {
          masks: [`${lesionMasks}/${key}_segmentation.png`],
          maskLabel: 'lesion',
        }),
      }
    })
  },
})

const classOfDiagnosis: Readonly<Record<string, string>> = {
  MEL: 'Melanoma',
  NEV: 'Nevus',
  BCC: 'Basal Cell Carcinoma',
  ACK: 'AKIEC',
  SCC: 'AKIEC',
  BOD: 'AKIEC',
  SEK: 'Other',
}

/** PAD-UFES-20: 2,298 smartphone photographs of skin lesions of 1,373 patients. */
export const padUfes20 = defineDataset({
  id: 'pad_ufes_20',
  download: { type: 'manual', how: 'fetch the archive zr7vgbcyr2 from Mendeley Data' },
  title: 'PAD-UFES-20',
  domain: 'dermoscopy',
  cue: 'clinical photograph of skin',
  labels: lesionLabels,
  ...lesionNames,
  answerMode: 'single',
  access: 'open',
  licence: 'CC BY 4.0',
  url: 'https://data.mendeley.com/datasets/zr7vgbcyr2/1',
  layout: 'metadata.csv and images/<img_id>, or imgs_part_{1,2,3}/<img_id>',
  splitRule: 'by hash of the patient id',
  spatialTruth: 'none',
  differences: ['Split by patient; the public loader draws two splits that overlap.'],
  locations: [{ folder: '.', marker: 'metadata.csv' }],
  rows: async folder => {
    const parts = ['images', 'imgs_part_1', 'imgs_part_2', 'imgs_part_3']
    const folderOf = new Map<string, string>()
    for (const part of parts) for (const name of await folder.list(part, ['.png'])) folderOf.set(name, part)
    return csvRows(folder, { file: 'metadata.csv', columns: ['patient_id', 'img_id', 'diagnostic'] }, cells => {
      const key = cells['img_id'] ?? ''
      return {
        key,
        patientId: cells['patient_id'] || key,
        labels: labelled(ownValue(classOfDiagnosis, cells['diagnostic'] ?? '')),
        media: picture(`${folderOf.get(key) ?? 'images'}/${key}`),
      }
    })
  },
})
