import path from 'node:path'
import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { defineDataset, type DatasetRow, type MaskSource } from '../dataset/dataset.ts'
import type { Finding } from '../sample/reference.ts'
import { csvRows, labelled, picture, wholeCell } from './csv-rows.ts'
import { biRadsNames } from './label-names.ts'

const cbisTables = ['mass', 'calc'].flatMap(kind =>
  ['train', 'test'].map(part => `${kind}_case_description_${part}_set.csv`),
)

const mammogram = { domain: 'mammography', cue: 'mammogram', answerMode: 'single' } as const

/** VinDr-Mammo: 20,000 mammograms of 5,000 exams. */
export const vindrMammo = defineDataset({
  ...mammogram,
  id: 'vindr_mammo',
  download: { type: 'physionet', project: 'vindr-mammo', version: '1.0.0', isCredentialed: true },
  title: 'VinDr-Mammo',
  labels: ['BI-RADS 1', 'BI-RADS 2', 'BI-RADS 3', 'BI-RADS 4', 'BI-RADS 5'],
  ...biRadsNames([1, 2, 3, 4, 5]),
  access: 'physionet-credentialed',
  licence: 'PhysioNet Restricted Health Data License 1.5.0 (as recorded by CLIMB)',
  url: 'https://physionet.org/content/vindr-mammo/1.0.0/',
  layout: 'breast-level_annotations.csv, finding_annotations.csv and images/<study_id>/<image_id>.dicom',
  splitRule: 'official: training is train, test; by exam',
  spatialTruth: 'boxes of findings',
  differences: [],
  locations: [{ folder: '.', marker: 'breast-level_annotations.csv' }],
  rows: async folder => {
    const boxes = await mammoBoxes(folder)
    const columns = ['study_id', 'image_id', 'breast_birads', 'split']
    return csvRows(folder, { file: 'breast-level_annotations.csv', columns }, cells => {
      const image = cells['image_id'] ?? ''
      return {
        key: `${cells['study_id']}/${image}`,
        patientId: cells['study_id'] ?? '',
        split: cells['split'] === 'test' ? 'test' : 'train',
        labels: labelled(cells['breast_birads']?.trim()),
        media: picture(`images/${cells['study_id']}/${image}.dicom`),
        findings: boxes.get(image) ?? [],
      }
    })
  },
})

async function mammoBoxes(folder: DatasetFolder): Promise<Map<string, Finding[]>> {
  const file = 'finding_annotations.csv'
  const boxes = new Map<string, Finding[]>()
  if ((await folder.size(file)) === undefined) return boxes
  for (const { cells } of await folder.readCsv(file, [
    'image_id',
    'finding_categories',
    'xmin',
    'ymin',
    'xmax',
    'ymax',
  ])) {
    const [x1, y1, x2, y2] = ['xmin', 'ymin', 'xmax', 'ymax'].map(name => Number(cells[name] || Number.NaN)) as [
      number,
      number,
      number,
      number,
    ] // four columns
    if (![x1, y1, x2, y2].every(Number.isFinite)) continue
    const label = [...(cells['finding_categories'] ?? '').matchAll(/'([^']+)'/g)].map(match => match[1]).join(' / ')
    const image = cells['image_id'] ?? ''
    boxes.set(image, [...(boxes.get(image) ?? []), { label, box: { x1, y1, x2, y2 } }])
  }
  return boxes
}

const cbisFiles = ['mass', 'calc'].flatMap(kind =>
  (['train', 'test'] as const).map(part => ({ file: `csv/${kind}_case_description_${part}_set.csv`, part })),
)

/** CBIS-DDSM: scanned film mammograms of 1,566 patients. */
export const cbisDdsm = defineDataset({
  ...mammogram,
  id: 'cbis_ddsm',
  download: {
    type: 'tcia',
    collection: 'CBIS-DDSM',
    alsoFrom: {
      host: 'tcia-pages',
      files: Object.fromEntries(cbisTables.map(name => [`csv/${name}`, `/wp-content/uploads/${name}`])),
    },
  },
  title: 'CBIS-DDSM',
  labels: ['BI-RADS 0', 'BI-RADS 1', 'BI-RADS 2', 'BI-RADS 3', 'BI-RADS 4', 'BI-RADS 5'],
  ...biRadsNames([0, 1, 2, 3, 4, 5]),
  access: 'open',
  licence: 'CC BY 3.0',
  url: 'https://www.cancerimagingarchive.net/collection/cbis-ddsm/',
  layout:
    'csv/{mass,calc}_case_description_{train,test}_set.csv, metadata.csv of the NBIA download where it lies otherwise, CBIS-DDSM/<subject>/<study>/<series>/*.dcm',
  splitRule: 'official files; a patient of a test file is test in both sets, so that none is in two parts',
  spatialTruth:
    'region masks of the abnormalities, where their DICOM series are there; the larger file of a series is the mask',
  differences: [
    'Assessment 0 is kept as its own class, as table 5 has it; the public loader drops it.',
    'Patients who are in a training file of one set and a test file of the other are test.',
  ],
  locations: [{ folder: '.', marker: 'csv' }],
  rows: cbisRows,
})

/** A picture of CBIS-DDSM: the highest assessment of its abnormalities, as the public loader has it, and all their masks. */
interface FilmPicture {
  readonly key: string
  readonly place: string
  readonly patientId: string
  readonly file: string
  assessment: number
  readonly masks: MaskSource[]
}

async function cbisRows(folder: DatasetFolder): Promise<DatasetRow[]> {
  const places = await seriesFolders(folder)
  const folderOf = (written: string) =>
    places.get(written.split('/')[2] ?? '') ?? path.posix.join('CBIS-DDSM', path.posix.dirname(written))
  const found = new Map<string, FilmPicture>()
  const testPatients = new Set<string>()
  for (const { file, part } of cbisFiles) {
    if ((await folder.size(file)) === undefined) continue
    for (const { cells, place } of await folder.readCsv(file, ['patient_id', 'assessment', 'image file path'])) {
      // Some cells end in a line break.
      const written = (cells['image file path'] ?? '').trim()
      const assessment = wholeCell(cells['assessment'])
      const patientId = cells['patient_id'] ?? ''
      if (part === 'test') testPatients.add(patientId)
      if (assessment === undefined) continue
      const known = found.get(written) ?? {
        key: written.split('/')[0] ?? '',
        place,
        patientId,
        file: await filmOf(folder, folderOf(written)),
        assessment,
        masks: [],
      }
      known.assessment = Math.max(known.assessment, assessment)
      known.masks.push(...(await regionMask(folder, folderOf((cells['ROI mask file path'] ?? '').trim()))))
      found.set(written, known)
    }
  }
  return [...found.values()].map(({ file, assessment, masks, ...row }) => ({
    ...row,
    split: testPatients.has(row.patientId) ? 'test' : 'train',
    labels: [`BI-RADS ${assessment}`],
    media: picture(file),
    ...(masks.length > 0 && { masks, maskLabel: 'abnormality' }),
  }))
}

/** The file of a series of one film; programs of the archive call it `1-1.dcm` or otherwise. */
async function filmOf(folder: DatasetFolder, series: string): Promise<string> {
  const names = await folder.list(series, ['.dcm'])
  return `${series}/${names[0] ?? '1-1.dcm'}`
}

/** A series of a region holds the mask and a cut-out of the picture, in either order; the mask is the larger one. */
async function regionMask(folder: DatasetFolder, series: string): Promise<MaskSource[]> {
  const [first, ...others] = (await folder.list(series, ['.dcm'])).map(name => `${series}/${name}`)
  return first === undefined ? [] : [{ largestOf: [first, ...others] }]
}

/** Where the NBIA download put each series. */
async function seriesFolders(folder: DatasetFolder): Promise<Map<string, string>> {
  if ((await folder.size('metadata.csv')) === undefined) return new Map()
  const rows = await folder.readCsv('metadata.csv', ['Series UID', 'File Location'])
  return new Map(
    rows.map(({ cells }) => [
      cells['Series UID'] ?? '',
      (cells['File Location'] ?? '').replaceAll('\\', '/').replace(/^\.\//, ''),
    ]),
  )
}
