import { describe, expect, test } from 'vitest'
import { sha256OfArray } from '../media/array-summary.ts'
import { dicomPictures } from './dicom-display.ts'
import { isDicom } from './dicom-file.ts'
import { decodeDicom } from './dicom-image.ts'
import {
  encapsulated,
  imageElements,
  syntaxes,
  writeDataSet,
  writeDicomFile,
  writeEncapsulatedFile,
  type ElementToWrite,
} from './write-data-set.testing.ts'

const ramp = { rows: 8, columns: 8, pixels: Uint16Array.from({ length: 64 }, (_, i) => i * 64), bitsStored: 12 }

describe('files that are not written as they should be', () => {
  test.for([
    { name: 'implicit', encoding: { isExplicit: false } },
    { name: 'explicit', encoding: { isExplicit: true } },
    { name: 'big endian', encoding: { isExplicit: true, isLittleEndian: false } },
  ])('$name elements without preamble and meta header are read', async ({ encoding }) => {
    const bytes = writeDataSet(imageElements(ramp), encoding)
    expect(isDicom(bytes)).toBe(true)
    const image = await decodeDicom(bytes)
    expect([...image.pixels]).toEqual([...ramp.pixels])
    expect(image.warnings).toEqual(['there is no preamble'])
  })

  test.for([
    { syntax: syntaxes.implicitLittle, encoding: { isExplicit: true } },
    { syntax: syntaxes.explicitLittle, encoding: { isExplicit: false } },
    { syntax: syntaxes.explicitLittle, encoding: { isLittleEndian: false } },
    { syntax: syntaxes.explicitBig, encoding: { isLittleEndian: true } },
  ])('elements that are not encoded as $syntax says are read, with a warning: $encoding', async options => {
    const image = await decodeDicom(writeDicomFile(imageElements(ramp), options))
    expect([...image.pixels]).toEqual([...ramp.pixels])
    expect(image.warnings).toEqual([expect.stringMatching(/the transfer syntax says/)])
  })

  test('encapsulated pixels among implicit elements are read, frame by frame', async () => {
    const frames = [Uint8Array.from([1, 2, 3, 4]), Uint8Array.from([5, 6, 7, 8])]
    const elements = imageElements({ rows: 2, columns: 2, pixels: new Uint8Array(4) }, [['00280008', 'IS', '2']])
    const syntax = '1.2.840.10008.1.2.1.98'
    const head = Buffer.from('e07f1000ffffffff', 'hex')
    const bytes = Buffer.concat([
      writeDicomFile(
        elements.filter(([tag]) => tag !== '7fe00010'),
        { syntax, encoding: { isExplicit: false } },
      ),
      head,
      encapsulated(frames, [0, 12]),
    ])
    const image = await decodeDicom(bytes)
    expect([...image.pixels]).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(image.warnings).toEqual([expect.stringMatching(/implicit/)])
  })

  test('frames of single bits do not end at bytes', async () => {
    // The first bits of a linear feedback register; 8 frames of 13 x 12 bits.
    let state = 1
    const bits = Uint8Array.from({ length: 8 * 13 * 12 }, () => {
      state = (state >> 1) ^ ((state & 1) * 0xb400)
      return state & 1
    })
    const packed = new Uint8Array(bits.length / 8)
    for (const [i, bit] of bits.entries()) packed[i >> 3]! |= bit << (i & 7)
    const bytes = writeDicomFile(
      imageElements({ rows: 13, columns: 12, pixels: packed }, [
        ['00280008', 'IS', '8'],
        ['00280100', 'US', 1],
        ['00280101', 'US', 1],
        ['00280102', 'US', 0],
      ]),
    )
    const image = await decodeDicom(bytes)
    expect(image.shape).toEqual([8, 13, 12])
    expect(sha256OfArray(image.pixels)).toBe(sha256OfArray(bits))
    const [second] = (await decodeDicom(bytes, { choose: () => [5] })).pixels.subarray(0, 1)
    expect(second).toBe(bits[5 * 156])
  })
})

describe('what is not applied is said', () => {
  const grey = { rows: 1, columns: 2, pixels: Uint8Array.from([0, 1]) }
  test.for<readonly [string, ElementToWrite, RegExp]>([
    ['an overlay', ['60003000', 'OW', [0]], /overlay/],
    ['an overlay in a later group', ['60103000', 'OW', [0]], /overlay/],
    ['real world values', ['00409096', 'SQ', [[]]], /real world/],
    ['a shutter', ['00181600', 'CS', 'CIRCULAR'], /shutter/],
    ['a mask subtraction', ['00286100', 'SQ', [[]]], /subtraction/],
    ['pixels that are not square', ['00280034', 'IS', '2\\1'], /square/],
    ['a supplemental palette', ['00281101', 'US', [2, 0, 8]], /palette/],
    ['an unknown shape', ['20500020', 'CS', 'WAVY'], /Shape/],
    ['padding that does not fit', ['00280120', 'US', 4000], /padding/],
    ['a missing number of stored bits', ['00280101', 'US', 0], /BitsStored/],
    ['a photometric interpretation that does not fit', ['00280004', 'CS', 'RGB'], /photometric/],
  ])('%s', async ([, element, warning]) => {
    const image = await decodeDicom(writeDicomFile(imageElements(grey, [element])))
    expect(image.warnings).toEqual([expect.stringMatching(warning)])
    expect(dicomPictures(image)[0]?.warnings).toEqual(image.warnings)
  })

  test.for([
    ['1.2.840.10008.1.2.4.102', /H\.264/],
    ['1.2.840.10008.1.2.4.100', /MPEG-2/],
    ['1.2.840.10008.1.2.4.107', /HEVC/],
    ['1.2.840.10008.1.2.4.110', /JPEG XL/],
    ['1.2.840.10008.1.2.4.53', /retired/],
    ['1.2.840.10008.1.2.4.94', /JPIP/],
    ['9.9.9', /9\.9\.9/],
    ['Doe^Jane', /that is none/],
  ] as const)('the transfer syntax %s is refused by name', async ([syntax, name]) => {
    const bytes = writeEncapsulatedFile(imageElements(grey), { syntax, frames: [Uint8Array.of(0, 0)] })
    const failure = await decodeDicom(bytes).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'DATA_DICOM_UNSUPPORTED', message: expect.stringMatching(name) as string })
    expect(String(failure)).not.toContain('Jane')
  })
})
