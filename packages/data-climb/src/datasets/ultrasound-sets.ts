import { defineDataset } from '../dataset/dataset.ts'
import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { ownValue } from '../sample/own-value.ts'
import { classFolderRows } from './class-folders.ts'
import { labelled } from './csv-rows.ts'
import { busiNames, covidBluesNames, covidUsNames } from './label-names.ts'

const ultrasound = { domain: 'ultrasound', answerMode: 'single' } as const

/** BUSI: 780 breast ultrasound pictures with lesion masks. */
export const busi = defineDataset({
  ...ultrasound,
  id: 'busi',
  download: { type: 'kaggle', dataset: 'aryashah2k/breast-ultrasound-images-dataset' },
  title: 'BUSI',
  cue: 'breast ultrasound',
  labels: ['Normal', 'Benign', 'Malignant'],
  ...busiNames,
  access: 'kaggle',
  licence: 'CC0 (as recorded by CLIMB)',
  url: 'https://www.kaggle.com/datasets/aryashah2k/breast-ultrasound-images-dataset',
  layout: 'Dataset_BUSI_with_GT/{normal,benign,malignant}/<class> (n).png with _mask.png, _mask_1.png …',
  splitRule: 'by hash of the picture; the set names no patients, and holds duplicates',
  spatialTruth: 'masks of lesions, several of one picture joined',
  differences: [
    'Masks are told by their suffix, not by the word anywhere in the path.',
    'Split by hash; the public loader takes the first names in text order.',
  ],
  locations: ['Dataset_BUSI_with_GT', 'busi', '.'].map(folder => ({ folder, marker: 'normal' })),
  rows: async folder => {
    const all = await classFolderRows(folder, {
      parts: { '.': undefined },
      classes: { normal: 'Normal', benign: 'Benign', malignant: 'Malignant' },
    })
    const masks = all.map(row => row.key).filter(isMask)
    return all
      .filter(row => !isMask(row.key))
      .map(row => {
        const stem = row.key.slice(0, -'.png'.length)
        const own = masks.filter(mask => mask.startsWith(`${stem}_mask`))
        // Masks of normal pictures are black: there is nothing to find.
        return own.length > 0 && row.labels[0] !== 'Normal' ? { ...row, masks: own } : row
      })
  },
})

function isMask(key: string): boolean {
  return /_mask(_\d+)?\.png$/.test(key)
}

/** COVID-BLUES: 362 lung ultrasound videos of 63 patients. */
export const covidBlues = defineDataset({
  ...ultrasound,
  id: 'covid_blues',
  download: { type: 'github', repository: 'NinaWie/COVID-BLUES', ref: 'main' },
  title: 'COVID-BLUES',
  cue: 'lung ultrasound video',
  labels: ['Has COVID', 'No COVID'],
  ...covidBluesNames,
  access: 'open',
  licence: 'CC BY-NC-ND 4.0',
  url: 'https://github.com/NinaWie/COVID-BLUES',
  layout: 'clinical_variables.csv and lus_videos/patient_<id>_<point>.mp4',
  splitRule: 'by hash of the patient',
  spatialTruth: 'none',
  differences: ['The prompt lists both options; the public one lists none.'],
  locations: [{ folder: '.', marker: 'lus_videos' }],
  rows: async folder => {
    const tests = new Map(
      (await folder.readCsv('clinical_variables.csv', ['patient_id', 'cov_test'])).map(({ cells }) => [
        cells['patient_id'],
        cells['cov_test'],
      ]),
    )
    return (await folder.list('lus_videos', ['.mp4', '.gif'])).map(name => {
      const patientId = name.split('_')[1] ?? name
      const label = ownValue({ '1': 'Has COVID', '0': 'No COVID' }, tests.get(patientId)?.replace(/\.0$/, '') ?? '')
      const file = `lus_videos/${name}`
      return { key: name, place: file, patientId, labels: labelled(label), media: { type: 'video', file } }
    })
  },
})

const covidUsLabels: Readonly<Record<string, string>> = { covid: 'COVID', pneumonia: 'Pneumonia', normal: 'Normal' }

/** Where videos lie: gathered by hand, or by the project's notebooks, of which the cropped ones show no overlays. */
const covidUsFolders = ['videos', 'data/video/cropped', 'data/video/original'] as const

/** COVIDx-US: lung ultrasound videos from public sources; the label is in the file name. */
export const covidUs = defineDataset({
  ...ultrasound,
  id: 'covid_us',
  download: { type: 'github', repository: 'nrc-cnrc/COVID-US', ref: 'main' },
  lacksAfterDownload:
    'The repository holds lists and notebooks, but no video: run its notebooks, which collect the videos from their sources into data/video.',
  title: 'COVIDx-US',
  cue: 'lung ultrasound video',
  labels: ['COVID', 'Pneumonia', 'Normal'],
  ...covidUsNames,
  access: 'open',
  licence: 'AGPL-3.0 (project); videos keep the terms of their sources',
  url: 'https://github.com/nrc-cnrc/COVID-US',
  layout:
    'videos/<n>_<source>_<class>….mp4|gif|avi|mov|wmv, or data/video/{cropped,original} as the notebooks of the project make them',
  splitRule: 'by hash of the video; clips of one case cannot be told',
  spatialTruth: 'none (field-of-view masks are no findings)',
  differences: [
    'Every container is listed; the public loader takes mp4 only.',
    'The video withdrawn by its source is left out.',
  ],
  locations: covidUsFolders.map(marker => ({ folder: '.', marker })),
  rows: async folder => {
    const { place, names } = await covidUsVideos(folder)
    return names.map(name => {
      const [number = '', source = '', label = ''] = name
        .replace(/\.\w+$/, '')
        .toLowerCase()
        .split('_')
      const file = `${place}/${name}`
      return {
        key: name,
        place: file,
        patientId: `${number}_${source}`,
        labels: labelled(ownValue(covidUsLabels, label)),
        media: { type: 'video', file },
        ...(number === '22' && source === 'butterfly' && { excluded: 'withdrawn by its source' }),
      }
    })
  },
})

async function covidUsVideos(folder: DatasetFolder): Promise<{ place: string; names: readonly string[] }> {
  for (const place of covidUsFolders) {
    const names = await folder.list(place, ['.mp4', '.gif', '.avi', '.mov', '.mpeg', '.wmv'])
    if (names.length > 0) return { place, names }
  }
  return { place: 'videos', names: [] }
}
