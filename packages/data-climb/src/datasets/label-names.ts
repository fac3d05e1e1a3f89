import type { DatasetDefinition } from '../dataset/dataset.ts'

/** Other names of labels, and labels that mean that nothing was found: fields to spread into a definition. */
export type LabelFacts = Pick<DatasetDefinition, 'aliases' | 'negativeLabels'>

const covidNames = ['COVID', 'COVID19', 'COVID 19', 'SARS-CoV-2']
const malignancy = { Benign: ['B'], Malignant: ['M'] }

/** ECG classes of table 5, whose abbreviations stand in brackets there. */
export const ecgNames: LabelFacts = {
  aliases: {
    Normal: ['NORM', 'Normal ECG'],
    'Conduction Delay': ['CD', 'Conduction Disturbance'],
    Hypertrophy: ['HYP'],
    'Myocardial Infarction': ['MI'],
    STTC: ['ST/T change', 'ST/T changes', 'Sinus Tachycardia/Bradycardia/Conduction'],
    'A. Fib/Aflutter': [
      'Atrial Fibrillation/Atrial Flutter',
      'Atrial fibrillation',
      'Atrial flutter',
      'AFIB/AFL',
      'AFIB',
      'A. Fib',
      'AF',
      'AFLT',
      'AFL',
      'Aflutter',
    ],
    Other: ['Others'],
  },
  negativeLabels: ['Normal'],
}

/** The 14 labels of CheXpert and MIMIC-CXR. */
export const chexpertNames: LabelFacts = {
  aliases: {
    'No Finding': ['No Findings', 'Normal'],
    Edema: ['Oedema', 'Pulmonary Edema'],
    'Pleural Effusion': ['Effusion'],
    'Lung Opacity': ['Opacity', 'Airspace Opacity'],
    'Support Devices': ['Support Device'],
  },
  negativeLabels: ['No Finding'],
}

/** The global diagnoses of VinDr-CXR. */
export const vindrCxrNames: LabelFacts = {
  aliases: {
    'Lung tumor': ['Lung tumour'],
    Tuberculosis: ['TB'],
    COPD: ['Chronic obstructive pulmonary disease'],
    'Other diseases': ['Other disease', 'Other'],
    'No finding': ['No findings', 'Normal'],
  },
  negativeLabels: ['No finding'],
}

/** Pneumonias by cause: COVID-19, CoronaHack. */
export const pneumoniaNames: LabelFacts = {
  aliases: {
    Normal: ['No Pneumonia'],
    'Bacterial Pneumonia': ['Bacterial'],
    'Viral Pneumonia': ['Viral'],
  },
  negativeLabels: ['Normal'],
}

/** The four labels of COVID-19, with its own name for the disease. */
export const covid19Names: LabelFacts = {
  ...pneumoniaNames,
  aliases: { ...pneumoniaNames.aliases, 'COVID-19': covidNames },
}

/** Assessments of a mammogram; 1 is "negative". */
export const biRadsNames = (categories: readonly number[]): LabelFacts => ({
  aliases: Object.fromEntries(
    categories.map(one => [
      `BI-RADS ${one}`,
      [`BIRADS ${one}`, `BI-RAD ${one}`, `BIRADS${one}`, `BI-RADS-${one}`, `BI-RADS category ${one}`, String(one)],
    ]),
  ),
  negativeLabels: ['BI-RADS 1'],
})

/** Benign or malignant, where every picture has a lesion. */
export const malignancyNames: LabelFacts = { aliases: malignancy }

/** Breast ultrasound, where there may be no lesion. */
export const busiNames: LabelFacts = { aliases: { Normal: ['N'], ...malignancy }, negativeLabels: ['Normal'] }

/** Lesions of HAM10000 and PAD-UFES-20. */
export const lesionNames: LabelFacts = {
  aliases: {
    Melanoma: ['MEL'],
    Nevus: ['NV', 'NEV', 'Naevus', 'Melanocytic Nevus'],
    'Basal Cell Carcinoma': ['BCC'],
    AKIEC: ['Actinic Keratosis/Intraepithelial Carcinoma', 'Actinic Keratosis', 'Intraepithelial Carcinoma'],
  },
}

const ungraded = ['None', 'No diabetic retinopathy', 'NDR']
const proliferative = ['PDR', 'Proliferative', 'Proliferative diabetic retinopathy']

/** Grades of diabetic retinopathy: Messidor-2, APTOS 2019. */
export const retinopathyNames: LabelFacts = {
  aliases: {
    'No DR': ungraded,
    'Mild DR': ['Mild', 'Mild NPDR', 'Mild diabetic retinopathy'],
    'Moderate DR': ['Moderate', 'Moderate NPDR', 'Moderate diabetic retinopathy'],
    'Severe DR': ['Severe', 'Severe NPDR', 'Severe diabetic retinopathy'],
    'Proliferative DR': proliferative,
  },
  negativeLabels: ['No DR'],
}

/** Davis grades of Jichi. */
export const davisNames: LabelFacts = {
  aliases: {
    'No DR': ungraded,
    'Simple DR': ['SDR', 'Simple', 'Simple diabetic retinopathy'],
    'Pre-proliferative DR': ['PPDR', 'Pre-proliferative', 'Pre-proliferative diabetic retinopathy'],
    'Proliferative DR': proliferative,
  },
  negativeLabels: ['No DR'],
}

/** Nodules of LNDb by size. */
export const noduleNames: LabelFacts = {
  aliases: {
    'nodule >= 3mm': ['nodule >= 3 mm', 'nodule >=3mm', 'nodule ≥ 3mm', 'nodule ≥ 3 mm', 'nodule ≥3mm'],
    'nodule < 3mm': ['nodule < 3 mm', 'nodule <3mm'],
    'non-nodule': ['non nodule', 'no nodule'],
  },
}

/** Pulmonary embolism: INSPECT, RSPECT. */
export const embolismNames = (labels: readonly string[]): LabelFacts => ({
  aliases: Object.fromEntries(
    labels.map(label => [
      label,
      [label.replace(/PE$/, 'pulmonary embolism'), ...(label === 'No PE' ? ['Negative', 'Normal'] : [])],
    ]),
  ),
  negativeLabels: ['No PE'],
})

/** Intracranial haemorrhage, yes or no. */
export const hemorrhageNames: LabelFacts = {
  aliases: {
    'No Hemorrhage': ['No', 'Negative', 'No Haemorrhage', 'No_Hemorrhage'],
    'Has Hemorrhage': ['Yes', 'Positive', 'Hemorrhage', 'Haemorrhage', 'Has Haemorrhage'],
  },
  negativeLabels: ['No Hemorrhage'],
}

/** Lung ultrasound with or without COVID-19. */
export const covidBluesNames: LabelFacts = {
  aliases: {
    'Has COVID': ['Positive', 'Yes', 'COVID-19', ...covidNames],
    'No COVID': ['Negative', 'No', 'No COVID-19'],
  },
  negativeLabels: ['No COVID'],
}

/** Lung ultrasound: COVID-US. */
export const covidUsNames: LabelFacts = {
  aliases: { COVID: ['COVID-19', 'COVID19', 'COVID 19', 'SARS-CoV-2'] },
  negativeLabels: ['Normal'],
}

/** Kinds of brain tumour. */
export const brainTumorNames: LabelFacts = {
  aliases: {
    'No Tumor': ['No Tumour', 'Normal', 'No'],
    'Glioma Tumor': ['Glioma'],
    'Meningioma Tumor': ['Meningioma'],
    'Pituitary Tumor': ['Pituitary', 'Pituitary Adenoma'],
  },
  negativeLabels: ['No Tumor'],
}

/** A brain tumour, yes or no. */
export const tumorNames: LabelFacts = {
  aliases: { 'No Tumor': ['No', 'No Tumour', 'Negative'], 'Has Tumor': ['Yes', 'Tumor', 'Tumour', 'Positive'] },
  negativeLabels: ['No Tumor'],
}

/** Tissues of LC25000. */
export const tissueNames: LabelFacts = {
  aliases: {
    'Colon adenocarcinomas': ['Colon adenocarcinoma'],
    'Benign colon': ['Benign colon tissue', 'Benign colonic tissue'],
    'Lung adenocarcinomas': ['Lung adenocarcinoma'],
    'Lung squamous cell carcinomas': ['Lung squamous cell carcinoma'],
    'Benign lung': ['Benign lung tissue'],
  },
}

/** Regions of BCSS. */
export const regionNames: LabelFacts = {
  aliases: {
    Tumor: ['Tumour'],
    'Lymphocytic infiltrate': ['Lymphocytic infiltration', 'Inflammatory'],
    'Necrosis/debris': ['Necrosis', 'Debris', 'Necrosis or debris'],
  },
}

/** Length of stay of MIMIC-IV: the letter is enough. */
export const stayNames: LabelFacts = {
  aliases: {
    'A: 0-4 days': ['A', '0-4 days', 'A. 0-4 days'],
    'B: 5-8 days': ['B', '5-8 days', 'B. 5-8 days'],
    'C: 9-12 days': ['C', '9-12 days', 'C. 9-12 days'],
    'D: more than 12 days': ['D', 'more than 12 days', 'D. more than 12 days', '> 12 days'],
  },
}

/** Mortality within 48 hours in MIMIC-IV. */
export const mortalityNames: LabelFacts = {
  aliases: { negative: ['No'], 'positive (death or discharge to hospice within 48 h)': ['positive', 'Yes'] },
  negativeLabels: ['negative'],
}
