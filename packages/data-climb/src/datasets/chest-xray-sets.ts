import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { defineDataset, type DatasetRow, type RowOptions } from '../dataset/dataset.ts'
import { chexpertLabels, exclusiveChexpertLabels, positiveLabels } from './chexpert-labels.ts'
import { csvRows, picture } from './csv-rows.ts'
import { majorityFindings, oneReaderFindings, type ReaderBox } from './reader-boxes.ts'
import { chexpertNames, vindrCxrNames } from './label-names.ts'

const chestXray = { domain: 'chest_xray', cue: 'chest X-ray', answerMode: 'multi' } as const

/** CheXpert: 223,648 frontal and lateral chest X-rays of 65,240 patients. */
export const chexpert = defineDataset({
  ...chestXray,
  id: 'chexpert',
  download: { type: 'manual', how: 'register at Stanford AIMI and accept its research use agreement' },
  title: 'CheXpert',
  labels: chexpertLabels,
  exclusiveLabels: exclusiveChexpertLabels,
  ...chexpertNames,
  access: 'request',
  licence: 'Stanford University Dataset Research Use Agreement',
  url: 'https://stanfordmlgroup.github.io/competitions/chexpert/',
  layout: 'CheXpert-v1.0/{train,valid}.csv and CheXpert-v1.0/{train,valid}/patient*/study*/view*.jpg',
  splitRule: 'official: train.csv is train, valid.csv is test; disjoint in patients',
  spatialTruth: 'none',
  differences: [
    'Uncertain and blank cells count as absent, as in the public loader; its label array repeats Atelectasis, ours does not.',
  ],
  locations: ['CheXpert-v1.0', 'CheXpert-v1.0-small', '.'].map(folder => ({ folder, marker: 'train.csv' })),
  rows: async folder => {
    const rowsOf = (part: 'train' | 'valid') =>
      csvRows(folder, { file: `${part}.csv`, columns: ['Path', ...chexpertLabels] }, cells => {
        // The path starts with the release's folder, which is this one.
        const file = (cells['Path'] ?? '').replace(/^[^/]+\//, '')
        const patientId = /patient\d+/.exec(file)?.[0] ?? file
        return {
          key: file,
          patientId,
          split: part === 'train' ? 'train' : 'test',
          labels: positiveLabels(cells),
          media: picture(file),
        }
      })
    return [...(await rowsOf('train')), ...(await rowsOf('valid'))]
  },
})

/** MIMIC-CXR-JPG: 377,110 chest X-rays of 65,379 patients. */
export const mimicCxr = defineDataset({
  ...chestXray,
  id: 'mimic_cxr',
  download: { type: 'physionet', project: 'mimic-cxr-jpg', version: '2.1.0', isCredentialed: true },
  title: 'MIMIC-CXR-JPG',
  labels: chexpertLabels,
  exclusiveLabels: exclusiveChexpertLabels,
  ...chexpertNames,
  access: 'physionet-credentialed',
  licence: 'PhysioNet Credentialed Health Data License 1.5.0',
  url: 'https://physionet.org/content/mimic-cxr-jpg/2.1.0/',
  layout: 'mimic-cxr-2.*-{split,chexpert}.csv.gz and files/pNN/pNNNNNNNN/sNNNNNNNN/<dicom_id>.jpg',
  splitRule: 'official: train, validate is valid, test; disjoint in patients',
  spatialTruth: 'none',
  differences: [
    'Paths follow from the three ids; the public loader asks for a study list that belongs to another project.',
  ],
  locations: [{ folder: '.', marker: 'files' }],
  rows: async folder => {
    const [splits, labels] = await Promise.all([index(folder, 'split'), index(folder, 'chexpert')])
    const labelsOf = new Map(
      (await folder.readCsv(labels, ['subject_id', 'study_id'])).map(({ cells }) => [
        studyOf(cells),
        positiveLabels(cells),
      ]),
    )
    return csvRows(folder, { file: splits, columns: ['dicom_id', 'study_id', 'subject_id', 'split'] }, cells => {
      const subject = cells['subject_id'] ?? ''
      const key = `p${subject.slice(0, 2)}/p${subject}/s${cells['study_id']}/${cells['dicom_id']}`
      const split = cells['split'] === 'train' ? 'train' : cells['split'] === 'validate' ? 'valid' : 'test'
      return {
        key,
        patientId: subject,
        split,
        labels: labelsOf.get(studyOf(cells)) ?? [],
        media: picture(`files/${key}.jpg`),
      }
    })
  },
})

function studyOf(cells: Readonly<Record<string, string>>): string {
  return `${cells['subject_id']}/${cells['study_id']}`
}

/** The index of either release, gzipped or not. */
async function index(folder: DatasetFolder, name: string): Promise<string> {
  const found = await folder.list('.', [`-${name}.csv.gz`, `-${name}.csv`])
  return found[0] ?? `mimic-cxr-2.0.0-${name}.csv.gz`
}

const globalLabels = ['Lung tumor', 'Pneumonia', 'Tuberculosis', 'COPD', 'Other diseases', 'No finding'] as const

/** VinDr-CXR: 18,000 frontal chest X-rays with boxes of local findings. */
export const vindrCxr = defineDataset({
  ...chestXray,
  id: 'vindr_cxr',
  download: { type: 'physionet', project: 'vindr-cxr', version: '1.0.0', isCredentialed: true },
  title: 'VinDr-CXR',
  labels: globalLabels,
  exclusiveLabels: globalLabels.slice(0, -1).map(label => ['No finding', label] as const),
  ...vindrCxrNames,
  access: 'physionet-credentialed',
  licence: 'PhysioNet Credentialed Health Data License 1.5.0',
  url: 'https://physionet.org/content/vindr-cxr/1.0.0/',
  layout: '{train,test}/<image_id>.dicom and annotations/{image_labels,annotations}_{train,test}.csv',
  splitRule: 'official: 15,000 train and 3,000 test pictures; no patient ids are published',
  spatialTruth: 'boxes of local findings, where the annotation files are there',
  differences: [
    'Labels are joined by image id; the public loader pairs pictures in folder order with labels in file order.',
    'Labels are the six global diagnoses of table 5, by majority of the three readers in train.',
    'Boxes are those that most readers drew (IoU of 0.4 or more, enclosed); `boxReaders: "one"` takes those of one reader.',
    'MONOCHROME1 pictures are inverted.',
  ],
  locations: [{ folder: '.', marker: 'annotations' }],
  rows: async (folder, options) => [
    ...(await vindrPart(folder, 'train', options)),
    ...(await vindrPart(folder, 'test', options)),
  ],
})

async function vindrPart(
  folder: DatasetFolder,
  part: 'train' | 'test',
  { boxReaders = 'majority' }: RowOptions,
): Promise<DatasetRow[]> {
  const file = `annotations/image_labels_${part}.csv`
  const readers = new Map<string, { place: string; cells: Readonly<Record<string, string>>[] }>()
  for (const { cells, place } of await folder.readCsv(file, ['image_id', 'No finding'])) {
    const image = cells['image_id'] ?? ''
    const known = readers.get(image)
    if (known) known.cells.push(cells)
    else readers.set(image, { place, cells: [cells] })
  }
  const boxes = await vindrBoxes(folder, part)
  const findingsOf = (drawn: readonly ReaderBox[], readerCount: number) =>
    boxReaders === 'one' ? oneReaderFindings(drawn) : majorityFindings(drawn, readerCount)
  return [...readers].map(([image, { place, cells }]) => ({
    key: `${part}/${image}`,
    place,
    patientId: image,
    split: part,
    labels: globalLabels.filter(label => isMajority(cells, label)),
    media: picture(`${part}/${image}.dicom`),
    findings: findingsOf(boxes.get(image) ?? [], cells.length),
  }))
}

/** The test file spells one column in the singular. */
function isMajority(readers: readonly Readonly<Record<string, string>>[], label: string): boolean {
  const votes = readers.filter(cells => Number(cells[label] ?? cells[label.replace(/s$/, '')] ?? '0') === 1).length
  return votes * 2 > readers.length
}

/** Boxes of local findings by picture, as the readers drew them. */
async function vindrBoxes(folder: DatasetFolder, part: string): Promise<Map<string, ReaderBox[]>> {
  const file = `annotations/annotations_${part}.csv`
  const boxes = new Map<string, ReaderBox[]>()
  if ((await folder.size(file)) === undefined) return boxes
  for (const { cells } of await folder.readCsv(file, ['image_id', 'class_name', 'x_min', 'y_min', 'x_max', 'y_max'])) {
    const [x1, y1, x2, y2] = ['x_min', 'y_min', 'x_max', 'y_max'].map(name => Number(cells[name] || Number.NaN)) as [
      number,
      number,
      number,
      number,
    ] // four columns
    if (!(x2 > x1 && y2 > y1)) continue
    const image = cells['image_id'] ?? ''
    const drawn = { reader: cells['rad_id'] ?? '', label: cells['class_name'] ?? '', box: { x1, y1, x2, y2 } }
    const known = boxes.get(image)
    if (known) known.push(drawn)
    else boxes.set(image, [drawn])
  }
  return boxes
}
