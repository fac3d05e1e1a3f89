import { describe, expect, test } from 'vitest'
import { dicomPictures } from './dicom-display.ts'
import { isDicom } from './dicom-file.ts'
import { decodeDicom } from './dicom-image.ts'
import { encodeDicom, uidOf } from './write-dicom.ts'

const picture = {
  rows: 3,
  columns: 5,
  pixels: Uint16Array.from({ length: 15 }, (_, i) => i * 273),
  bitsStored: 12,
  modality: 'MG',
  sopInstanceUid: uidOf('one'),
} as const

describe('encodeDicom', () => {
  test('writes what the reader reads, with odd texts padded', async () => {
    const bytes = encodeDicom({
      ...picture,
      window: { center: 2040.5, width: 4081 },
      patientId: 'odd',
      comments: 'x',
      laterality: 'L',
      viewPosition: 'MLO',
    })
    expect(isDicom(bytes)).toBe(true)
    const image = await decodeDicom(bytes)
    expect([...image.pixels]).toEqual([...picture.pixels])
    expect(image).toMatchObject({
      shape: [3, 5],
      dtype: 'uint16',
      window: { center: 2040.5, width: 4081 },
      warnings: [],
    })
    expect(bytes.length % 2).toBe(0)
  })

  test('gives back levels of eight bits through twelve bits and a window', async () => {
    const levels = Uint16Array.from({ length: 256 }, (_, level) => level * 16)
    const bytes = encodeDicom({
      ...picture,
      rows: 16,
      columns: 16,
      pixels: levels,
      window: { center: 2040.5, width: 4081 },
    })
    const [shown] = dicomPictures(await decodeDicom(bytes))
    const grey = shown!.data.filter((_, i) => i % 3 === 0)
    expect(grey).toEqual(Uint8Array.from({ length: 256 }, (_, level) => level))
  })

  test('names a text by the same identifier, of at most 64 characters', () => {
    expect(uidOf('a')).toBe(uidOf('a'))
    expect(uidOf('a')).not.toBe(uidOf('b'))
    expect(uidOf('a')).toMatch(/^2\.25\.[1-9]\d{0,38}$/)
  })

  test.for([
    { name: 'too few pixels', change: { rows: 4 } },
    { name: 'no bits', change: { bitsStored: 0 } },
    { name: 'more rows than a tag holds', change: { rows: 70_000, columns: 1, pixels: new Uint16Array(70_000) } },
  ])('refuses $name', ({ change }) => {
    expect(() => encodeDicom({ ...picture, ...change })).toThrow(
      expect.objectContaining({ code: 'DATA_OPTION_INVALID' }),
    )
  })
})
