import { findDataset, listDatasets } from '@qoq-med/data-climb'
import { createVocabulary } from '@qoq-med/rewards'
import { describe, expect, test } from 'vitest'

/** What models write for labels of table 5: its abbreviations, and spellings of the same thing. */
const written: readonly (readonly [dataset: string, written: string, label: string])[] = [
  ['ptb_xl', 'MI', 'Myocardial Infarction'],
  ['georgia', 'CD', 'Conduction Delay'],
  ['cpsc', 'HYP', 'Hypertrophy'],
  ['chapman_shaoxing', 'AFIB', 'A. Fib/Aflutter'],
  ['chapman_shaoxing', 'Atrial Fibrillation/Atrial Flutter', 'A. Fib/Aflutter'],
  ['chexpert', 'pleural effusion.', 'Pleural Effusion'],
  ['vindr_mammo', 'BIRADS 2', 'BI-RADS 2'],
  ['vindr_mammo', 'BI–RADS 4', 'BI-RADS 4'],
  ['vindr_mammo', 'bi‑rads 5', 'BI-RADS 5'],
  ['cbis_ddsm', 'BI-RAD 0', 'BI-RADS 0'],
  ['cmmd', 'B', 'Benign'],
  ['busi', 'M', 'Malignant'],
  ['ham10000', 'BCC', 'Basal Cell Carcinoma'],
  ['pad_ufes_20', 'Actinic Keratosis/Intraepithelial Carcinoma', 'AKIEC'],
  ['messidor_2', 'PDR', 'Proliferative DR'],
  ['aptos_2019', 'Moderate', 'Moderate DR'],
  ['jichi', 'PPDR', 'Pre-proliferative DR'],
  ['lndb', 'nodule ≥ 3mm', 'nodule >= 3mm'],
  ['rspect', 'acute pulmonary embolism', 'Acute PE'],
  ['inspect', 'Acute Subsegmental–only PE', 'Acute Subsegmental-only PE'],
  ['hemorrhage', 'haemorrhage', 'Has Hemorrhage'],
  ['covid_blues', 'positive', 'Has COVID'],
  ['covid_us', 'Covid', 'COVID'],
  ['brain_tumor', 'glioma', 'Glioma Tumor'],
  ['brain_tumor_2', 'Yes', 'Has Tumor'],
  ['lc25000', 'Lung adenocarcinoma', 'Lung adenocarcinomas'],
  ['bcss', 'Necrosis or debris', 'Necrosis/debris'],
  ['covid_19', 'COVID', 'COVID-19'],
  ['mimic_iv_los', 'B', 'B: 5-8 days'],
  ['mimic_iv_48ihm', 'positive', 'positive (death or discharge to hospice within 48 h)'],
]

describe('names of labels', () => {
  test.for(written)('%s: %s is %s', ([dataset, text, label]) => {
    expect(createVocabulary(findDataset(dataset)).find(text)).toBe(label)
  })

  test.for(listDatasets().map(({ id }) => id))('%s: every label and every other name means one label', id => {
    const definition = findDataset(id)
    const vocabulary = createVocabulary(definition)
    for (const label of definition.labels) {
      expect(vocabulary.find(label)).toBe(label)
      for (const name of definition.aliases?.[label] ?? []) expect(vocabulary.find(name)).toBe(label)
    }
  })

  test('labels that mean that nothing was found are known where there is one', () => {
    const without = listDatasets().filter(({ negativeLabels = [] }) => negativeLabels.length === 0)
    expect(without.map(({ id }) => id)).toEqual([
      'cmmd',
      'isic_2020',
      'ham10000',
      'pad_ufes_20',
      'lndb',
      'kits23',
      'lc25000',
      'bcss',
      'mimic_iv_los',
      'mini_clinic_dermoscopy',
      'mini_clinic_pathology',
      'mini_clinic_multimodal',
    ])
  })
})
