import { open } from 'node:fs/promises'
import path from 'node:path'
import type { DatasetFolder } from '../dataset/dataset-folder.ts'
import { defineDataset, type DatasetRow } from '../dataset/dataset.ts'
import { lateralityOf } from '../dicom/dicom-tags.ts'
import { dataErrors } from '../errors.ts'
import { readXlsx } from '../files/xlsx.ts'
import { malignancyNames } from './label-names.ts'

const sheet = 'CMMD_clinicaldata_revision.xlsx'
const csvSheet = 'CMMD_clinicaldata_revision.csv'
/** The tags before the pixels lie within this many bytes. */
const tagBytes = 65_536

/** CMMD: 1,872 breasts of 1,775 patients, two views each. */
export const cmmd = defineDataset({
  id: 'cmmd',
  download: {
    type: 'tcia',
    collection: 'CMMD',
    alsoFrom: {
      host: 'tcia-pages',
      files: { 'CMMD_clinicaldata_revision.xlsx': '/wp-content/uploads/CMMD_clinicaldata_revision.xlsx' },
    },
  },
  title: 'CMMD',
  domain: 'mammography',
  cue: 'mammogram',
  labels: ['Benign', 'Malignant'],
  ...malignancyNames,
  answerMode: 'single',
  access: 'open',
  licence: 'CC BY 4.0',
  url: 'https://www.cancerimagingarchive.net/collection/cmmd/',
  layout: `${sheet} (or a CSV export of it) and CMMD/<ID1>/<study>/<series>/1-N.dcm`,
  splitRule: 'by hash of the patient; the public loader holds out the last rows, of which 3 of 468 are benign',
  spatialTruth: 'none',
  differences: [
    'A row shows the pictures of its own breast, by the laterality in the files; the public loader shows all of the patient, so that 30 patients have two answers for the same pictures.',
    'Split by patient.',
  ],
  locations: [{ folder: '.', marker: 'CMMD' }],
  rows: async folder => {
    const rows = await sheetRows(folder)
    const seen = new Map<string, number>()
    for (const { patientId } of rows) seen.set(patientId, (seen.get(patientId) ?? 0) + 1)
    return Promise.all(rows.map(row => breastRow(folder, row, seen.get(row.patientId) === 1)))
  },
})

interface Breast {
  readonly patientId: string
  readonly side: string
  readonly label: string
  readonly place: string
}

function breast(cells: Readonly<Record<string, string>>, place: string): Breast {
  return {
    patientId: cells['ID1'] ?? '',
    side: (cells['LeftRight'] ?? '').trim().toUpperCase(),
    label: (cells['classification'] ?? '').trim(),
    place,
  }
}

async function sheetRows(folder: DatasetFolder): Promise<Breast[]> {
  if ((await folder.size(csvSheet)) !== undefined)
    return (await folder.readCsv(csvSheet, ['ID1', 'LeftRight', 'classification'])).map(({ cells, place }) =>
      breast(cells, place),
    )
  if ((await folder.size(sheet)) === undefined)
    throw dataErrors.INDEX_INVALID({ dataset: 'cmmd', file: sheet, problem: 'it is missing' })
  const [header = [], ...rows] = readXlsx(await folder.read(sheet))
  const missing = ['ID1', 'LeftRight', 'classification'].find(column => !header.includes(column))
  if (missing !== undefined)
    throw dataErrors.INDEX_INVALID({ dataset: 'cmmd', file: sheet, problem: `it has no column "${missing}"` })
  return rows.map((cells, i) =>
    breast(Object.fromEntries(header.map((name, column) => [name, cells[column] ?? ''])), `${sheet}:${i + 2}`),
  )
}

async function breastRow(
  folder: DatasetFolder,
  { patientId, side, label, place }: Breast,
  isOnlyRow: boolean,
): Promise<DatasetRow> {
  const files = await folder.listDeep(`CMMD/${patientId}`, ['.dcm'])
  const sides = await Promise.all(files.map(async file => lateralityOf(await firstBytes(folder.resolve(file, place)))))
  const own = files.filter((_, i) => sides[i] === side)
  // Without laterality in the files, a patient with one row has only that breast.
  const [first, ...others] = own.length > 0 ? own : isOnlyRow ? files : []
  const isKnown = files.length === 0 || first !== undefined
  return {
    key: `${patientId}/${side}`,
    place,
    patientId,
    labels: label === '' ? [] : [label],
    media: { type: 'image', files: [first ?? `CMMD/${patientId}`, ...others] },
    ...(!isKnown && { excluded: 'the files do not say which breast they show' }),
  }
}

async function firstBytes(file: string): Promise<Uint8Array> {
  const handle = await open(path.resolve(file))
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(tagBytes), 0, tagBytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
