import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inspectFile } from './inspect.ts'
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
      warnings: ['the suffix says jpeg, the content is png', 'the alpha channel was dropped'],
    })
    expect(sha256).toBe('039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81')
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
