import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inspectFile } from './inspect.ts'
import { imageElements, writeDicomFile, type ElementToWrite } from '../dicom/write-data-set.testing.ts'
import { encodeNifti } from '../volume/write-nifti.ts'
import { encodeWfdb } from '../wfdb/write.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-inspect-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('inspectFile', () => {
  test('reports a WFDB record, through its header or its signal file', async () => {
    const signals = [
      { name: 'I', gain: 100, digital: Int16Array.from([1, 2, 3]) },
      { name: 'II', gain: 200, baseline: 10, digital: Int16Array.from([-4, -32768, 6]) },
    ]
    const { hea, dat } = encodeWfdb({ record: 'r', samplingRateHz: 250, signals })
    await writeFile(path.join(folder, 'r.hea'), hea)
    await writeFile(path.join(folder, 'r.dat'), dat)
    const report = await inspectFile(path.join(folder, 'r.hea'))
    expect(report).toMatchObject({
      format: 'wfdb',
      shape: [3, 2],
      dtype: 'int32',
      channels: ['I', 'II'],
      fs: 250,
      units: ['mV', 'mV'],
      first: [1, -4, 2, -32768, 3, 6],
      min: -32768,
      max: 6,
      warnings: [],
    })
    expect(report.mean).toBeCloseTo((1 - 4 + 2 - 32768 + 3 + 6) / 6, 12)
    expect(report.sha256Physical).toMatch(/^[0-9a-f]{64}$/)
    expect(await inspectFile(path.join(folder, 'r.dat'))).toEqual(report)
  })

  test('reports a picture and what decoding it lost', async () => {
    const file = path.join(folder, 'a.jpg')
    await sharp(Uint8Array.from([1, 2, 3, 128]), { raw: { width: 1, height: 1, channels: 4 } })
      .png()
      .toFile(file)
    const { sha256, ...report } = await inspectFile(file)
    expect(report).toEqual({
      format: 'png',
      shape: [1, 1, 3],
      dtype: 'uint8',
      first: [1, 2, 3],
      min: 1,
      max: 3,
      mean: 2,
      patientFields: [],
      warnings: ['the suffix says jpeg, the content is png', 'the alpha channel was dropped'],
    })
    expect(sha256).toBe('039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81')
  })

  test('says of a DICOM file what people look for, and of its patient the names of fields alone', async () => {
    const elements: ElementToWrite[] = [
      ['00080020', 'DA', '20240229'],
      ['00080060', 'CS', 'DX'],
      ['00080090', 'PN', ''],
      ['00090010', 'LO', 'ACME Jane Example'],
      ['00100010', 'PN', 'Example^Jane'],
      ['00100020', 'LO', 'MRN-4711'],
      ['00101002', 'SQ', [[['00100020', 'LO', 'OTHER-12']]]],
      ['00180015', 'CS', 'CHEST'],
      ['00185101', 'CS', 'PA'],
      ['00200020', 'CS', String.raw`L\F`],
      ['00200062', 'CS', 'U'],
      ['00280301', 'CS', 'NO'],
      ['00281050', 'DS', '40'],
      ['00281051', 'DS', '400.5'],
      // Not a code: anything may stand there.
      ['00201020', 'LO', 'Jane'],
    ]
    const file = path.join(folder, 'a.dcm')
    await writeFile(file, writeDicomFile(imageElements({ rows: 2, columns: 2, pixels: new Uint16Array(4) }, elements)))
    const report = await inspectFile(file)
    expect(report.about).toEqual({
      modality: 'DX',
      'body part': 'CHEST',
      view: 'PA',
      side: 'U',
      orientation: 'columns to the left, rows to the feet',
      window: '40/400.5',
      colours: 'MONOCHROME2',
      'burned-in annotation': 'NO',
      'transfer syntax': 'explicit little endian',
    })
    expect(report.patientFields).toEqual([
      'StudyDate',
      'PatientName',
      'PatientID',
      'OtherPatientIDsSequence',
      'private attributes',
    ])
    expect(JSON.stringify(report)).not.toMatch(/Jane|Example|4711|2024|OTHER/)
    const odd = imageElements({ rows: 2, columns: 2, pixels: new Uint16Array(4) }, [['00185101', 'CS', 'Jane Example']])
    await writeFile(file, writeDicomFile(odd))
    expect((await inspectFile(file)).about).not.toHaveProperty('view')
  })

  test('says how long frames take, by the time of one or by their rate', async () => {
    const file = path.join(folder, 'cine.dcm')
    for (const [tag, vr, value] of [
      ['00181063', 'DS', '40'],
      ['00180040', 'IS', '25'],
    ] as const) {
      const pixels = new Uint8Array(12)
      const frames = imageElements({ rows: 2, columns: 2, pixels }, [
        ['00280008', 'IS', '3'],
        [tag, vr, value],
      ])
      await writeFile(file, writeDicomFile(frames))
      expect((await inspectFile(file)).about).toMatchObject({ 'duration (s)': 0.12 })
    }
  })

  // As nibabel's aff2axcodes has it of the same matrices.
  test.for([
    { affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0], codes: 'RAS' },
    { affine: [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0], codes: 'LPS' },
    { affine: [0, 0, -2, 0, -1, 0, 0, 0, 0, 3, 0, 0], codes: 'PSL' },
  ])('says how a volume lies, and that its header has texts: $codes', async ({ affine, codes }) => {
    const file = path.join(folder, 'v.nii')
    const placed = { shape: [2, 2, 2], spacing: [1, 1, 1], affine, slope: 1, intercept: 0, warnings: [] }
    const bytes = encodeNifti({ ...placed, dtype: 'int16', voxels: new Int16Array(8) })
    const described = Buffer.from(bytes)
    described.write('Jane Example', 148, 'latin1')
    await writeFile(file, described)
    const report = await inspectFile(file)
    expect(report).toMatchObject({ about: { orientation: codes }, patientFields: ['descrip (free text)'] })
    await writeFile(`${file}.gz`, gzipSync(described))
    expect(await inspectFile(`${file}.gz`)).toMatchObject({ patientFields: ['descrip (free text)'] })
    expect(JSON.stringify(report)).not.toContain('Jane')
  })

  test.for([
    {
      name: 'WFDB comments',
      content: { 'c.hea': 'c 1 100 2\nc.dat 16 200 12 0 0 0 0 I\n#Jane Example\n', 'c.dat': '\0\0\0\0' },
      file: 'c.hea',
      want: ['comments of the header (free text)'],
    },
    {
      name: 'an EXIF block',
      content: { 'e.jpg': undefined },
      file: 'e.jpg',
      want: ['EXIF'],
    },
  ])('names what stands beside the data: $name', async ({ content, file, want }) => {
    for (const [name, text] of Object.entries(content)) {
      const picture = sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } })
      const exif = picture.jpeg().withExif({ IFD0: { Artist: 'Jane Example' } })
      await writeFile(path.join(folder, name), text === undefined ? await exif.toBuffer() : Buffer.from(text, 'latin1'))
    }
    const report = await inspectFile(path.join(folder, file))
    expect(report.patientFields).toEqual(want)
    expect(JSON.stringify(report)).not.toContain('Jane')
  })

  test('says of an electrocardiogram how long it is, and of its patient the kinds of fields alone', async () => {
    const fixtures = path.resolve(import.meta.dirname, '../../fixtures/ecg-files')
    const text = await readFile(path.join(fixtures, 'muse.xml'), 'utf8')
    const named = text.replace(
      '</PatientDemographics>',
      '<PatientLastName>DOE</PatientLastName><DateofBirth>02-29-1948</DateofBirth><Gender></Gender></PatientDemographics>',
    )
    expect(named).not.toBe(text)
    await writeFile(path.join(folder, 'muse.xml'), named)
    const report = await inspectFile(path.join(folder, 'muse.xml'))
    expect(report).toMatchObject({
      about: { 'duration (s)': 0.4 },
      patientFields: ['birth date', 'name', 'patient id'],
    })
    expect(JSON.stringify(report)).not.toMatch(/DOE|1948/)
  })

  test.for([
    { name: 'a file that is not there', file: 'nothing.hea', content: undefined, want: 'DATA_INPUT_MISSING' },
    { name: 'a file of unknown format', file: 'x.bin', content: 'hello', want: 'DATA_FORMAT_UNKNOWN' },
    { name: 'a signal file without a header', file: 'alone.dat', content: 'xx', want: 'WFDB_FILE_MISSING' },
    { name: 'a broken MATLAB file', file: 'x.mat', content: 'xx', want: 'WFDB_BAD_MAT' },
    { name: 'a broken video', file: 'x.mp4', content: 'xx', want: 'DATA_VIDEO_INVALID' },
    { name: 'a broken picture', file: 'x.png', content: '\u{89}PNG', want: 'DATA_IMAGE_UNREADABLE' },
  ])('refuses $name', async ({ file, content, want }) => {
    if (content !== undefined) await writeFile(path.join(folder, file), content, 'latin1')
    await expect(inspectFile(path.join(folder, file))).rejects.toMatchObject({ code: want })
  })
})
