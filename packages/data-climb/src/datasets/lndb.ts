import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { defineDataset, type DatasetRow } from '../dataset/dataset.ts'
import { dataErrors } from '../errors.ts'
import { mergeMarks, type NoduleFinding, type ReaderMark } from './lndb-findings.ts'
import { noduleNames } from './label-names.ts'

const lungWindow = { center: -600, width: 1500 }
/** Side of the picture around a finding, and the distance of its four frames, in millimetres. */
const sideMm = 64
const stepMm = 1.5

/** LNDb: nodules and other findings in 236 chest CTs, marked by up to three radiologists each. */
export const lndb = defineDataset({
  id: 'lndb',
  download: { type: 'manual', how: 'register at lndb.grand-challenge.org' },
  window: lungWindow,
  title: 'LNDb',
  domain: 'ct',
  cue: 'chest CT around a finding',
  labels: ['nodule >= 3mm', 'nodule < 3mm', 'non-nodule'],
  ...noduleNames,
  answerMode: 'single',
  access: 'request',
  licence: 'to verify at the record: CC BY 4.0 (as recorded by CLIMB) or CC BY-NC-ND 4.0',
  url: 'https://lndb.grand-challenge.org/Data/',
  layout:
    'trainNodules.csv, data/LNDb-NNNN.mhd (or data0 … data5) and masks/LNDb-NNNN_radR.mhd, with their .raw or .zraw',
  splitRule: 'by hash of the scan; one scan is one patient',
  spatialTruth: 'masks in each frame: voxels that more than half of the readers who segmented the finding gave to it',
  differences: [
    'A sample is a finding with its three classes of table 5; the public loader asks of windows of 24 slices whether they hold a nodule, and never uses non-nodules.',
    'World coordinates go through direction, spacing and origin; frames are axial and 1.5 mm apart.',
    'Findings of one reader are never joined; those of different readers are when they are closer than 3 mm or the larger radius, as the challenge has it.',
  ],
  locations: [{ folder: '.', marker: 'trainNodules.csv' }],
  rows: async folder => {
    const scans = await scanFiles(folder)
    const masks = new Set(await folder.list('masks', ['.mhd']))
    return mergeMarks(await readMarks(folder)).map(finding => rowOf(finding, scans, masks))
  },
})

const columns = ['LNDbID', 'RadID', 'FindingID', 'x', 'y', 'z', 'Nodule', 'Volume'] as const

async function readMarks(folder: DatasetFolder): Promise<ReaderMark[]> {
  const file = 'trainNodules.csv'
  return (await folder.readCsv(file, columns)).map(({ cells, place }) => {
    const [scan, reader, finding, x, y, z, nodule, volume] = columns.map(name => Number(cells[name] || Number.NaN)) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ] // eight columns
    if (![scan, reader, finding, x, y, z, nodule, volume].every(Number.isFinite))
      throw dataErrors.INDEX_INVALID({
        dataset: 'lndb',
        file,
        problem: `row ${place} holds something other than numbers`,
      })
    return { scan, reader, finding, place, point: [x, y, z], isNodule: nodule === 1, volumeMm3: volume }
  })
}

/** Headers of the scans by name; the official archives unpack to six folders. */
async function scanFiles(folder: DatasetFolder): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const part of ['data', 'data0', 'data1', 'data2', 'data3', 'data4', 'data5'])
    for (const name of await folder.list(part, ['.mhd'])) found.set(name, `${part}/${name}`)
  return found
}

function rowOf(
  { scan, marks, point: [x, y, z], label }: NoduleFinding,
  scans: ReadonlyMap<string, string>,
  masks: ReadonlySet<string>,
): DatasetRow {
  const name = `LNDb-${String(scan).padStart(4, '0')}`
  const segmented = marks
    .filter(mark => mark.isNodule)
    .map(mark => ({ volume: `${name}_rad${mark.reader}.mhd`, codes: [mark.finding] }))
    .filter(({ volume }) => masks.has(volume))
  return {
    key: `${name}/${marks.map(mark => `${mark.reader}.${mark.finding}`).join('+')}`,
    place: marks[0]?.place ?? name,
    patientId: name,
    labels: [label],
    media: {
      type: 'volume',
      file: scans.get(`${name}.mhd`) ?? `data/${name}.mhd`,
      window: lungWindow,
      // MetaImage counts to the left and to the back; the affine to the right and to the front.
      around: { point: [-x, -y, z], sideMm, stepMm },
    },
    ...(segmented.length > 0 && {
      masks: segmented.map(({ volume, codes }) => ({ volume: `masks/${volume}`, codes })),
      maskRule: 'majority' as const,
      maskLabel: 'nodule',
    }),
  }
}
