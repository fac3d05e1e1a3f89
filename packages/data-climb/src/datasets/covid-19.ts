import { defineDataset } from '../dataset/dataset.ts'
import { classFolderRows } from './class-folders.ts'
import { covid19Names } from './label-names.ts'

/** COVID-19 Detection X-ray: 2,990 chest X-rays of mixed origin in class folders. */
export const covid19 = defineDataset({
  id: 'covid_19',
  download: { type: 'kaggle', dataset: 'darshan1504/covid19-detection-xray-dataset' },
  title: 'COVID-19 Detection X-ray',
  domain: 'chest_xray',
  cue: 'chest X-ray',
  labels: ['Normal', 'Bacterial Pneumonia', 'COVID-19', 'Viral Pneumonia'],
  ...covid19Names,
  answerMode: 'single',
  access: 'kaggle',
  licence: 'CC BY 4.0 (as recorded by CLIMB)',
  url: 'https://www.kaggle.com/datasets/darshan1504/covid19-detection-xray-dataset',
  layout: '{TrainData,ValData}/{Normal,BacterialPneumonia,ViralPneumonia,COVID-19}/*.jpg|png',
  splitRule: 'folders: TrainData is train, ValData is test; the set names no patients',
  spatialTruth: 'none',
  differences: [
    'Answers are spelt as in table 5, not as the folders.',
    'Samples are known by their relative path: file names repeat across folders.',
  ],
  locations: [{ folder: '.', marker: 'TrainData' }],
  rows: folder =>
    classFolderRows(folder, {
      parts: { TrainData: 'train', ValData: 'test' },
      classes: {
        Normal: 'Normal',
        BacterialPneumonia: 'Bacterial Pneumonia',
        'COVID-19': 'COVID-19',
        ViralPneumonia: 'Viral Pneumonia',
      },
    }),
})
