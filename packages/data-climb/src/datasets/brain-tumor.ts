import { defineDataset } from '../dataset/dataset.ts'
import { classFolderRows } from './class-folders.ts'
import { brainTumorNames } from './label-names.ts'

/** Brain Tumor Classification (MRI): 3,264 slices of mixed planes and weightings in class folders. */
export const brainTumor = defineDataset({
  id: 'brain_tumor',
  download: { type: 'kaggle', dataset: 'sartajbhuvaji/brain-tumor-classification-mri' },
  title: 'Brain Tumor Classification (MRI)',
  domain: 'mri',
  cue: 'brain MRI',
  labels: ['No Tumor', 'Glioma Tumor', 'Meningioma Tumor', 'Pituitary Tumor'],
  ...brainTumorNames,
  answerMode: 'single',
  access: 'kaggle',
  licence: 'MIT (as recorded by CLIMB)',
  url: 'https://www.kaggle.com/datasets/sartajbhuvaji/brain-tumor-classification-mri',
  layout: '{Training,Testing}/{no_tumor,glioma_tumor,meningioma_tumor,pituitary_tumor}/*.jpg',
  splitRule: 'folders: Training is train, Testing is test; the set names no patients, and their slices recur',
  spatialTruth: 'none',
  differences: [],
  locations: [{ folder: '.', marker: 'Training' }],
  rows: folder =>
    classFolderRows(folder, {
      parts: { Training: 'train', Testing: 'test' },
      classes: {
        no_tumor: 'No Tumor',
        glioma_tumor: 'Glioma Tumor',
        meningioma_tumor: 'Meningioma Tumor',
        pituitary_tumor: 'Pituitary Tumor',
      },
    }),
})
