import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { imageElements, writeDicomFile, type ElementToWrite } from '../dicom/write-data-set.testing.ts'
import { inspectFile } from '../inspect/inspect.ts'
import { presentMedia } from './present-media.ts'
import { realFile, whySkipped } from '../shared.testing.ts'
import { openSeries } from './dicom-series.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'qoq-series-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** A slice of 2 x 2 pixels of one level, as a scanner writes it. */
function slice(level: number, others: readonly ElementToWrite[] = [], side = 2): Buffer {
  const pixels = new Int16Array(side * side).fill(level)
  return writeDicomFile(
    imageElements({ rows: side, columns: side, pixels }, [
      ['00080060', 'CS', 'CT'],
      ['00100010', 'PN', 'Example^Jane'],
      ['0020000e', 'UI', '2.25.7'],
      ['00200037', 'DS', String.raw`1\0\0\0\1\0`],
      ['00280030', 'DS', String.raw`0.5\0.5`],
      ['00281052', 'DS', '-1024'],
      ['00281053', 'DS', '1'],
      ...others,
    ]),
  )
}

const at = (z: number, instance = 1): ElementToWrite[] => [
  ['00200032', 'DS', String.raw`0\0\ `.trimEnd() + String(z)],
  ['00200013', 'IS', String(instance)],
]

async function folderOf(name: string, files: Readonly<Record<string, Buffer | string>>): Promise<string> {
  const folder = path.join(root, name)
  await mkdir(folder, { recursive: true })
  for (const [file, content] of Object.entries(files)) await writeFile(path.join(folder, file), content)
  return folder
}

const axial = {
  // Names and numbers say another order than positions do: a scanner counts from the head.
  IM1: slice(30, at(15, 1)),
  IM2: slice(20, at(10, 2)),
  IM3: slice(10, at(5, 3)),
  IM4: slice(0, at(0, 4)),
  localizer: slice(99, at(100, 0), 4),
  'notes.txt': 'of no use',
  DICOMDIR: writeDicomFile([['00041130', 'CS', 'X']]),
}

describe('a folder with a DICOM series', () => {
  test('is ordered from the feet to the head, without the localizer and what is no picture', async () => {
    const { slices, stepMm, warnings } = await openSeries(await folderOf('axial', axial))
    expect(slices.map(({ file }) => path.basename(file))).toEqual(['IM4', 'IM3', 'IM2', 'IM1'])
    expect(stepMm).toBe(5)
    expect(warnings).toEqual(['1 of 5 pictures have another size or direction and were left out'])
  })

  test('is shown as a volume is: some slices in order, over one range where none has a window', async () => {
    const folder = await folderOf('axial', axial)
    const shown = await presentMedia(folder, { frames: 2 })
    expect(shown).toMatchObject({ type: 'video', kind: 'dicom', positions: [1, 3], length: 4 })
    // 10 is the least and 30 the most of what is shown; each alone would be grey.
    expect(shown.pictures.map(({ data }) => data[0])).toEqual([0, 255])
    const windowed = await presentMedia(folder, { window: { center: -1014, width: 40 } })
    expect(windowed.pictures.map(({ data }) => data[0])).toEqual([64, 128, 191, 255])
  })

  test('is inspected as one array, with what it says of the patient by name alone', async () => {
    const report = await inspectFile(await folderOf('axial', axial))
    expect(report).toMatchObject({
      format: 'dicom-series',
      shape: [4, 2, 2],
      spacing: [5, 0.5, 0.5],
      min: 0,
      max: 30,
      mean: 15,
      about: { modality: 'CT', orientation: 'axial, columns to the left, rows to the back' },
      patientFields: ['PatientName'],
    })
    expect(JSON.stringify(report)).not.toMatch(/Example|Jane/)
  })

  test.for<{ name: string; files: Readonly<Record<string, Buffer | string>>; says: RegExp }>([
    { name: 'nothing', files: {}, says: /holds no DICOM picture/ },
    { name: 'no picture', files: { 'a.txt': 'x', DICOMDIR: axial.DICOMDIR }, says: /holds no DICOM picture/ },
    {
      name: 'two series',
      files: { a: slice(1, at(0)), b: slice(1, [...at(5), ['0020000e', 'UI', '2.25.8']]) },
      says: /holds 2 series/,
    },
    { name: 'a file of many frames', files: { a: slice(1, [['00280008', 'IS', '2']]) }, says: /several frames/ },
  ])('is refused with $name', async ({ name, files, says }) => {
    await expect(openSeries(await folderOf(name, files))).rejects.toMatchObject({
      code: 'DATA_SERIES_INVALID',
      message: expect.stringMatching(says),
    })
  })

  test.for<{ name: string; files: Readonly<Record<string, Buffer>>; order: string; says: RegExp }>([
    {
      name: 'a slice that is missing',
      files: { a: slice(1, at(0)), b: slice(2, at(5)), c: slice(3, at(10)), d: slice(4, at(20)) },
      order: 'abcd',
      says: /1 of 3 steps between slices differ/,
    },
    {
      name: 'two slices at one place',
      files: { b: slice(1, at(0, 2)), a: slice(2, at(0, 1)), c: slice(3, at(5)), d: slice(3, at(10)) },
      order: 'abcd',
      says: /1 slices lie where another one lies/,
    },
    {
      name: 'slices without a position',
      files: { b: slice(1, [['00200013', 'IS', '2']]), a: slice(2, [['00200013', 'IS', '1']]) },
      order: 'ab',
      says: /ordered by their numbers/,
    },
    {
      // Columns to the head, rows to the front: the normal runs to the left; slices are counted to the right.
      name: 'a sagittal scan',
      files: Object.fromEntries(
        ['c', 'b', 'a'].map((file, i) => [
          file,
          slice(1, [
            ['00200037', 'DS', String.raw`0\0\1\0\-1\0`],
            ['00200032', 'DS', `${-5 * i - 5}\\0\\0`],
          ]),
        ]),
      ),
      order: 'cba',
      says: /^$/,
    },
  ])('says what it found: $name', async ({ name, files, order, says }) => {
    const { slices, warnings } = await openSeries(await folderOf(name, files))
    expect(slices.map(({ file }) => path.basename(file)).join('')).toBe(order)
    expect(warnings.join('; ')).toMatch(says)
  })

  // SimpleITK 2.5.7: ImageSeriesReader in the order of GetGDCMSeriesFileNames; the hash is of GetArrayFromImage.
  test.skipIf(whySkipped !== '')(`is the array that SimpleITK reads${whySkipped}`, async () => {
    const study = realFile('ct-rspect/train/1.2.826.0.1.3680043.2.1125.1.77919887136091242069669728074855109')
    const [series = ''] = await readdir(study)
    const report = await inspectFile(path.join(study, series))
    expect(report).toMatchObject({
      shape: [11, 128, 88],
      dtype: 'int16',
      spacing: [2, 2, 2],
      sha256: 'dea3218ecb78832a6441aea80d39f0eae8213287140d027bfcea3e8bbca957a9',
      about: { orientation: 'axial, columns to the right, rows to the front' },
    })
  })
})
