/** The 14 labels of CheXpert, in the order of its files; MIMIC-CXR has the same. */
export const chexpertLabels = [
  'No Finding',
  'Enlarged Cardiomediastinum',
  'Cardiomegaly',
  'Lung Opacity',
  'Lung Lesion',
  'Edema',
  'Consolidation',
  'Pneumonia',
  'Atelectasis',
  'Pneumothorax',
  'Pleural Effusion',
  'Pleural Other',
  'Fracture',
  'Support Devices',
] as const

/** "No Finding" stands alone, or beside devices. */
export const exclusiveChexpertLabels = chexpertLabels
  .filter(label => label !== 'No Finding' && label !== 'Support Devices')
  .map(label => ['No Finding', label] as const)

/** The labels whose cell is 1; blank (not mentioned) and -1 (uncertain) count as absent. */
export function positiveLabels(cells: Readonly<Record<string, string>>): string[] {
  return chexpertLabels.filter(label => Number(cells[label] || '0') === 1)
}
