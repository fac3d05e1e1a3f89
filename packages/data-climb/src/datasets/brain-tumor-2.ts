import { defineDataset } from '../dataset/dataset.ts'
import { classFolderRows } from './class-folders.ts'
import { tumorNames } from './label-names.ts'

/** Brain MRI yes/no: 253 slices. */
export const brainTumor2 = defineDataset({
  id: 'brain_tumor_2',
  download: { type: 'kaggle', dataset: 'navoneel/brain-mri-images-for-brain-tumor-detection' },
  title: 'Brain MRI Images for Brain Tumor Detection',
  domain: 'mri',
  cue: 'brain MRI',
  labels: ['No Tumor', 'Has Tumor'],
  ...tumorNames,
  answerMode: 'single',
  access: 'kaggle',
  licence: 'none stated',
  url: 'https://www.kaggle.com/datasets/navoneel/brain-mri-images-for-brain-tumor-detection',
  layout: '{yes,no}/*.jpg|jpeg|png; a second copy one level down is not read',
  splitRule: 'by hash of the picture; the set names no patients',
  spatialTruth: 'none',
  differences: ['Split by hash; the public loader shuffles pictures.'],
  locations: [{ folder: '.', marker: 'yes' }],
  rows: folder => classFolderRows(folder, { parts: { '.': undefined }, classes: { yes: 'Has Tumor', no: 'No Tumor' } }),
})
