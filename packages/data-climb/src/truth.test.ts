import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { DatasetFolder } from './dataset/dataset-folder.ts'
import type { FileReport } from './inspect/file-report.ts'
import { inspectFile } from './inspect/inspect.ts'
import { realFile, truthTable, whySkipped } from './shared.testing.ts'
import { streamVideoFrames } from './media/video-decoder.ts'
import { readXlsx } from './files/xlsx.ts'

/** Any entry of truth/*.json: the fields that one of the checks below reads. */
interface Entry {
  readonly error?: string
  readonly lossy?: boolean
  readonly exact?: boolean
  readonly pixel_data?: unknown
  readonly mean?: number
  readonly rgb_mean?: readonly number[]
  readonly size_wh?: readonly [number, number]
  readonly shape?: readonly number[]
  readonly array_shape?: readonly number[]
  readonly size_xyz?: readonly number[]
  readonly sig_name?: readonly string[]
  readonly fs?: number
  readonly sig_len?: number
  readonly rows?: number
  readonly columns?: readonly string[]
  readonly encoding?: string
  readonly first_row?: readonly string[]
  readonly length?: number
  readonly output_size_wh?: readonly [number, number]
  readonly decoded_frames?: number
  readonly first_frame_rgb_sha256?: string
  readonly all_frames_mean?: number
  readonly [sha256: `${string}sha256`]: string | undefined
}

/** Files that the reference readers refuse on purpose, and the documented behaviour here. */
const refused: Readonly<Record<string, string>> = {
  'dicom-general/pydicom/JPEG-lossy.dcm': 'DATA_DICOM_INVALID',
  'dicom-general/pydicom/MR_truncated.dcm': 'DATA_DICOM_INVALID',
  'dicom-general/pydicom/badVR.dcm': 'DATA_DICOM_INVALID',
  'dicom-general/pydicom/meta_missing_tsyntax.dcm': 'DATA_DICOM_INVALID',
  'dicom-general/pydicom/no_meta.dcm': 'DATA_DICOM_NO_PIXELS',
  'dicom-general/cornerstone/no-pixel-data.dcm': 'DATA_DICOM_NO_PIXELS',
  'dicom-general/dicomdirtests/DICOMDIR': 'DATA_DICOM_NO_PIXELS',
}

/** A file that a reference reader refuses and this one reads, with a warning. */
const tolerated = 'ecg-georgia/WFDB_Ga/E00666.hea'

/** A table with an unquoted comma: refused, since cells behind it stand in wrong columns. No dataset is read from it. */
const ragged = 'us-covid-blues/variable_explanations.csv'

/** Means of lossy pictures may differ by half a level or 1 %. */
function expectMean(got: number, want: number): void {
  expect(Math.abs(got - want)).toBeLessThanOrEqual(Math.max(0.5, Math.abs(want) * 0.01))
}

function expectHashes(report: FileReport, stored: string | undefined, physical: string | undefined): void {
  expect(report.sha256).toBe(stored)
  expect(physical ?? report.sha256Physical).toBe(report.sha256Physical)
}

type Check = (file: string, entry: Entry) => Promise<void>

/** One check per file of truth; labels.json belongs to datasets/definitions.test.ts. */
const checks: Readonly<Record<string, Check>> = {
  wfdb: async (file, entry) => {
    const report = await inspectFile(realFile(file))
    if (file === tolerated)
      return expect(report.warnings).toEqual(['the record name carries a file suffix, which was dropped'])
    expectHashes(report, entry.digital_int32_le_samples_by_leads_sha256, undefined)
    expect([report.channels, report.fs]).toEqual([entry.sig_name, entry.fs])
  },
  mat: async (file, entry) => {
    const report = await inspectFile(realFile(file))
    expect(report.shape).toEqual(entry.shape)
    expectHashes(report, entry.int16_le_row_major_sha256 ?? entry.float64_le_row_major_sha256, undefined)
  },
  dicom: async (file, entry) => {
    const report = await inspectFile(realFile(file))
    expect(report.shape).toEqual(entry.array_shape)
    expectMean(report.mean, entry.mean ?? Number.NaN)
    if (entry.lossy !== true) expectHashes(report, entry.raw_le_sha256, entry.rescaled_float64_le_sha256)
  },
  nifti: async (file, entry) => {
    const report = await inspectFile(realFile(file))
    expect(report.shape).toEqual(entry.shape)
    expectHashes(report, entry.raw_le_fortran_sha256, entry.scaled_float64_le_fortran_sha256)
  },
  metaimage: async (file, entry) => {
    const report = await inspectFile(realFile(file))
    expect(report.shape).toEqual(entry.size_xyz?.toReversed())
    expectHashes(report, entry.zyx_c_le_sha256, undefined)
  },
  image: async (file, entry) => {
    const report = await inspectFile(realFile(file))
    expect(report.shape).toEqual([...(entry.size_wh?.toReversed() ?? []), 3])
    const mean = (entry.rgb_mean ?? []).reduce((sum, level) => sum + level / 3, 0)
    expectMean(report.mean, mean)
    if (entry.exact === true) expectHashes(report, entry.rgb_u8_sha256, undefined)
  },
  video: async (file, entry) => {
    const isAnimation = file.endsWith('.gif')
    const report = await inspectFile(realFile(file))
    const [width, height] = entry.output_size_wh ?? []
    // Of an animated GIF the first frame is inspected, as of any picture.
    expect(report.shape).toEqual(isAnimation ? [height, width, 3] : [entry.decoded_frames, height, width, 3])
    if (!isAnimation) expect(Math.abs(report.mean - (entry.all_frames_mean ?? Number.NaN))).toBeLessThan(0.01)
    for await (const frame of streamVideoFrames(realFile(file), file)) {
      expect(createHash('sha256').update(frame.data).digest('hex')).toBe(entry.first_frame_rgb_sha256)
      break
    }
  },
  table: async (file, entry) => {
    const read = tableOf(file, entry)
    if (file === ragged) return expect(read).rejects.toMatchObject({ code: 'DATA_INDEX_INVALID' })
    const { columns, rows } = await read
    expect(rows.length).toBe(entry.rows ?? entry.length)
    expect(columns).toEqual(entry.columns ?? [])
    expect(entry.first_row ?? rows[0]).toEqual(rows[0])
  },
}

/** The cells of a table, by the reader that the datasets use for it. */
async function tableOf(file: string, { encoding }: Entry): Promise<{ columns: string[]; rows: unknown[] }> {
  if (file.endsWith('.json'))
    return { columns: [], rows: JSON.parse(readFileSync(realFile(file), 'utf8')) as unknown[] } // a list
  if (file.endsWith('.xlsx')) {
    const [columns = [], ...rows] = readXlsx(readFileSync(realFile(file)))
    return { columns, rows }
  }
  const folder = new DatasetFolder('truth', realFile('.'))
  const found = await folder.readCsv(file, [], { encoding: encoding === 'cp1252' ? 'latin1' : 'utf-8' })
  return { columns: Object.keys(found[0]?.cells ?? {}), rows: found.map(({ cells }) => Object.values(cells)) }
}

describe(`every entry of truth/*.json${whySkipped}`, () => {
  test.skipIf(whySkipped !== '')('has a check, 550 in all', () => {
    const files = readdirSync(realFile('truth')).map(name => path.basename(name, '.json'))
    expect(files.toSorted()).toEqual([...Object.keys(checks), 'labels'].toSorted())
    const counts = Object.keys(checks).map(name => truthTable(name).length)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(550)
  })

  test
    .skipIf(whySkipped !== '')
    .for(Object.keys(checks).flatMap(name => truthTable<Entry>(name).map(([file, entry]) => ({ name, file, entry }))))(
    '$name: $file',
    async ({ name, file, entry }) => {
      const code = refused[file]
      if (code === undefined) return checks[name]!(file, entry) // a key of checks
      await expect(inspectFile(realFile(file))).rejects.toMatchObject({ code })
    },
  )
})
