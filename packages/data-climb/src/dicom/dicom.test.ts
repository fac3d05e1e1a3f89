import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { realFile, whySkipped } from '../shared.testing.ts'
import { dicomPictures } from './dicom-display.ts'
import { decodeDicom } from './dicom-image.ts'
import { decodeRle } from './rle.ts'

const element = ([group, number, vr, value]: readonly [number, number, string, Uint8Array]) => {
  const isLong = ['OB', 'OW'].includes(vr)
  const head = Buffer.alloc(isLong ? 12 : 8)
  head.writeUInt16LE(group, 0)
  head.writeUInt16LE(number, 2)
  head.write(vr, 4, 'latin1')
  if (isLong) head.writeUInt32LE(value.length, 8)
  else head.writeUInt16LE(value.length, 6)
  return Buffer.concat([head, value])
}

/** An explicit little-endian DICOM file of the given tags: [group, element, VR, value bytes]. */
function dicomFile(tags: readonly (readonly [number, number, string, Uint8Array])[]): Uint8Array {
  const syntax = element([2, 0x10, 'UI', Buffer.from('1.2.840.10008.1.2.1\0')])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(syntax.length)
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    element([2, 0, 'UL', length]),
    syntax,
    ...tags.map(element),
  ])
}
const us = (value: number) => new Uint8Array(Uint16Array.from([value]).buffer)

/** A 2 x 2 grey image with values 0, 100, 200, 300. */
function greyFile(change: Readonly<Record<string, Uint8Array>> = {}): Uint8Array {
  const tags = {
    '0028,0002,US': us(1),
    '0028,0004,CS': Buffer.from('MONOCHROME2 '),
    '0028,0010,US': us(2),
    '0028,0011,US': us(2),
    '0028,0100,US': us(16),
    '0028,0103,US': us(0),
    '7fe0,0010,OW': new Uint8Array(Uint16Array.from([0, 100, 200, 300]).buffer),
    ...change,
  }
  const rows = Object.entries(tags)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([tag, value]) => {
      const [group = '', number = '', vr = ''] = tag.split(',')
      return [Number.parseInt(group, 16), Number.parseInt(number, 16), vr, value] as const
    })
  return dicomFile(rows)
}

describe('decodeDicom', () => {
  test('reads raw pixels, and shows them over their range', async () => {
    const image = await decodeDicom(greyFile())
    expect([...image.pixels]).toEqual([0, 100, 200, 300])
    expect(dicomPictures(image)[0]!.data.filter((_, i) => i % 3 === 0)).toEqual(Uint8Array.from([0, 85, 170, 255]))
  })

  test('shows MONOCHROME1 inverted, within the first window', async () => {
    const image = await decodeDicom(
      greyFile({
        '0028,0004,CS': Buffer.from('MONOCHROME1 '),
        '0028,1050,DS': Buffer.from('150.5\\999 '),
        '0028,1051,DS': Buffer.from('301\\999 '),
      }),
    )
    expect(image).toMatchObject({ isInverted: true, window: { center: 150.5, width: 301 } })
    expect(dicomPictures(image)[0]!.data.filter((_, i) => i % 3 === 0)).toEqual(Uint8Array.from([255, 170, 85, 0]))
  })

  test('interleaves colours stored plane after plane', async () => {
    const image = await decodeDicom(
      greyFile({
        '0028,0002,US': us(3),
        '0028,0004,CS': Buffer.from('RGB '),
        '0028,0006,US': us(1),
        '0028,0010,US': us(1),
        '0028,0100,US': us(8),
        '7fe0,0010,OW': Uint8Array.from([1, 2, 10, 20, 100, 200]),
      }),
    )
    expect([...image.pixels]).toEqual([1, 10, 100, 2, 20, 200])
  })

  test.for([
    { name: 'text', bytes: Buffer.from('no DICOM at all'), want: /DATA_DICOM_(INVALID|NO_PIXELS)/ },
    { name: 'a file without pixels', bytes: dicomFile([[0x28, 0x10, 'US', us(2)]]), want: /DATA_DICOM_NO_PIXELS/ },
    { name: 'too few pixels', bytes: greyFile({ '0028,0010,US': us(3) }), want: /DATA_DICOM_INVALID/ },
    {
      name: 'a size that lies',
      bytes: greyFile({ '0028,0010,US': us(65535), '0028,0011,US': us(65535) }),
      want: /DATA_DICOM_INVALID/,
    },
    { name: 'no rows', bytes: greyFile({ '0028,0010,US': us(0) }), want: /DATA_DICOM_INVALID/ },
    {
      name: 'a frame count that is none',
      bytes: greyFile({ '0028,0008,IS': Buffer.from('1A') }),
      want: /DATA_DICOM_INVALID/,
    },
    {
      name: 'pixels of 12 allocated bits',
      bytes: greyFile({ '0028,0100,US': us(12) }),
      want: /DATA_DICOM_UNSUPPORTED/,
    },
    { name: 'a truncated file', bytes: greyFile().subarray(0, 250), want: /DATA_DICOM_INVALID/ },
  ])('refuses $name', async ({ bytes, want }) => {
    const failure = (await decodeDicom(bytes).catch((error: unknown) => error)) as { code: string } // a HintedError
    expect(failure.code).toMatch(want)
  })
})

const frame = (segments: number, offset: number, ...packed: number[]) => {
  const bytes = new Uint8Array(64 + packed.length)
  new DataView(bytes.buffer).setUint32(0, segments, true)
  new DataView(bytes.buffer).setUint32(4, offset, true)
  bytes.set(packed, 64)
  return bytes
}

describe('decodeRle', () => {
  const shape = { pixels: 5, samples: 1, bytesPerSample: 1 }

  test('unpacks runs and literals', () => {
    expect([...decodeRle(frame(1, 64, 254, 7, 1, 8, 9), shape)]).toEqual([7, 7, 7, 8, 9])
  })

  test.for([
    { name: 'a run that ends early', bytes: frame(1, 64, 254) },
    { name: 'a literal that ends early', bytes: frame(1, 64, 4, 1, 2) },
    { name: 'another number of segments', bytes: frame(3, 64, 254, 7) },
    { name: 'a segment outside the frame', bytes: frame(1, 9000, 254, 7) },
    { name: 'a frame without a header', bytes: new Uint8Array(10) },
  ])('refuses $name', ({ bytes }) => {
    expect(() => decodeRle(bytes, shape)).toThrow(expect.objectContaining({ code: 'DATA_DICOM_INVALID' }))
  })
})

describe(`broken copies of a real file${whySkipped}`, () => {
  test
    .skipIf(whySkipped !== '')
    .for([
      'pydicom/MR_small_RLE.dcm',
      'pydicom/JPGExtended.dcm',
      'pydicom/SC_rgb_jpeg_gdcm.dcm',
      'pydicom/MR_small_jpeg_ls_lossless.dcm',
      'pydicom/MR_small_jp2klossless.dcm',
    ])('%s: truncation never gives anything but an own error', async name => {
    const whole = readFileSync(realFile('dicom-general', name))
    for (const share of [0.3, 0.6, 0.9, 0.99]) {
      const result = await decodeDicom(whole.subarray(0, Math.floor(whole.length * share))).catch(
        (error: unknown) => error,
      )
      expect(result instanceof Error ? result.name : 'HintedError').toBe('HintedError')
    }
  })
})
