import { defineDataset } from '../dataset/dataset.ts'
import { pneumoniaNames } from './label-names.ts'

const index = 'Chest_xray_Corona_Metadata.csv'
const pictures = 'Coronahack-Chest-XRay-Dataset/Coronahack-Chest-XRay-Dataset'

/** CoronaHack: 5,908 paediatric and adult chest X-rays; COVID-19 and SARS count as viral pneumonia. */
export const coronahack = defineDataset({
  id: 'coronahack',
  download: { type: 'kaggle', dataset: 'praveengovi/coronahack-chest-xraydataset' },
  title: 'CoronaHack Chest X-Ray',
  domain: 'chest_xray',
  cue: 'chest X-ray',
  labels: ['Normal', 'Bacterial Pneumonia', 'Viral Pneumonia'],
  ...pneumoniaNames,
  answerMode: 'single',
  access: 'kaggle',
  licence: 'CC BY 4.0 (as recorded by CLIMB)',
  url: 'https://www.kaggle.com/datasets/praveengovi/coronahack-chest-xraydataset',
  layout: `${index} and ${pictures}/{train,test}/*.jpeg`,
  splitRule: 'column Dataset_type: TRAIN is train, TEST is test; the set names no patients',
  spatialTruth: 'none',
  differences: [
    'Answers are spelt as in table 5.',
    'The pictures overlap with covid_19; neither is an external test of the other.',
  ],
  locations: [{ folder: '.', marker: index }],
  rows: async folder => {
    const columns = ['X_ray_image_name', 'Label', 'Dataset_type', 'Label_1_Virus_category']
    return (await folder.readCsv(index, columns)).map(({ cells, place }) => {
      const part = cells['Dataset_type'] === 'TEST' ? 'test' : 'train'
      const name = cells['X_ray_image_name'] ?? ''
      const cause = cells['Label_1_Virus_category']?.trim().toLowerCase() ?? ''
      return {
        key: `${part}/${name}`,
        place,
        patientId: `${part}/${name}`,
        split: part,
        labels: labelsOf(cells['Label'] ?? '', cause),
        media: { type: 'image', files: [`${pictures}/${part}/${name}`] },
        ...(cause === 'stress-smoking' && { excluded: 'stress-smoking is no class of table 5' }),
      }
    })
  },
})

/** The index spells pneumonia "Pnemonia". */
function labelsOf(label: string, cause: string): string[] {
  if (label === 'Normal') return ['Normal']
  if (cause === 'bacteria') return ['Bacterial Pneumonia']
  return cause === 'virus' ? ['Viral Pneumonia'] : []
}
