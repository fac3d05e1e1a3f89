import { defineDataset } from '../dataset/dataset.ts'
import { classFolderRows } from './class-folders.ts'
import { tissueNames } from './label-names.ts'

const classes = {
  colon_aca: 'Colon adenocarcinomas',
  colon_n: 'Benign colon',
  lung_aca: 'Lung adenocarcinomas',
  lung_scc: 'Lung squamous cell carcinomas',
  lung_n: 'Benign lung',
}

/** LC25000: 25,000 histopathology pictures, augmented from 1,250. */
export const lc25000 = defineDataset({
  id: 'lc25000',
  download: { type: 'manual', how: 'follow the link of github.com/tampapath/lung_colon_image_set' },
  title: 'LC25000',
  domain: 'pathology',
  cue: 'histopathology image',
  labels: Object.values(classes),
  ...tissueNames,
  answerMode: 'single',
  access: 'open',
  licence: 'none stated',
  url: 'https://github.com/tampapath/lung_colon_image_set',
  layout: 'lung_colon_image_set/{lung,colon}_image_sets/<class>/*.jpeg, or the five class folders',
  splitRule:
    'by hash of the picture; pictures are augmentations of 1,250 originals that cannot be told, so any split leaks',
  spatialTruth: 'none',
  differences: [],
  locations: [
    { folder: 'lung_colon_image_set', marker: 'lung_image_sets' },
    { folder: '.', marker: 'lung_image_sets' },
    { folder: '.', marker: 'lung_aca' },
  ],
  rows: async folder => [
    ...(await classFolderRows(folder, { parts: { '.': undefined }, classes })),
    ...(await classFolderRows(folder, { parts: { lung_image_sets: undefined, colon_image_sets: undefined }, classes })),
  ],
})
