import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { sha256OfArray } from '../media/array-summary.ts'
import { decodeDicom } from './dicom-image.ts'

/** One file of fixtures/dicom-compressed.json.gz, made by tooling/oracles/dicom_compressed.py, with pydicom's pixels. */
interface CompressedFile {
  readonly name: string
  readonly file: string
  readonly dtype: string
  readonly shape: readonly number[]
  /** Of lossless pixels. */
  readonly sha256?: string
  /** Lossy pixels: decoders round differently. */
  readonly pixels?: string
}

const fixture = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../fixtures/dicom-compressed.json.gz')
const files = JSON.parse(gunzipSync(readFileSync(fixture)).toString('utf8')) as readonly CompressedFile[] // written by the script

describe('compressed frames, as pydicom decodes them', () => {
  test.for(files.map(entry => [entry.name, entry] as const))(
    '%s',
    async ([, { file, dtype, shape, sha256, pixels }]) => {
      const image = await decodeDicom(Buffer.from(file, 'base64'))
      expect([image.dtype, image.shape]).toEqual([dtype, shape])
      expect(sha256 ?? sha256OfArray(image.pixels)).toBe(sha256OfArray(image.pixels))
      const want = pixels === undefined ? [] : [...Buffer.from(pixels, 'base64')]
      const off = want.map((level, i) => Math.abs(level - (image.pixels[i] ?? Number.NaN)))
      // Two JPEG decoders differ by one level from their cosine transforms, and by up to three more from colour and its upsampling.
      expect(Math.max(0, ...off)).toBeLessThanOrEqual(4)
      expect(off.reduce((sum, difference) => sum + difference, 0)).toBeLessThanOrEqual(want.length * 0.6)
    },
  )
})

function contentOf(name: string): Buffer {
  return Buffer.from(files.find(entry => entry.name === name)?.file ?? '', 'base64')
}

describe('damaged frames', () => {
  const endMarker = Buffer.of(0xff, 0xd9)

  test('a JPEG frame that ends early is shown, and said', async () => {
    const whole = contentOf('JPEG, grey')
    expect((await decodeDicom(whole)).warnings).toEqual([])
    const damaged = Buffer.from(whole)
    endMarker.copy(damaged, whole.lastIndexOf(endMarker) - 60)
    expect((await decodeDicom(damaged)).warnings).toEqual([expect.stringMatching(/damaged/)])
  })

  test('a JPEG 2000 frame without its end is shown, and said', async () => {
    const whole = contentOf('JPEG 2000, 12 bits, signed')
    expect((await decodeDicom(whole)).warnings).toEqual([])
    const damaged = Buffer.from(whole)
    damaged.fill(0, whole.lastIndexOf(endMarker), whole.lastIndexOf(endMarker) + 2)
    expect((await decodeDicom(damaged)).warnings).toEqual([expect.stringMatching(/damaged/)])
  })
})
