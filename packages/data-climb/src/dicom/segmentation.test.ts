import { describe, expect, test } from 'vitest'
import { decodeDicom } from './dicom-image.ts'
import { readSegmentMasks } from './segmentation.ts'
import { imageElements, writeDicomFile, type ElementToWrite } from './write-data-set.testing.ts'

const segment = (number: number, label: string): ElementToWrite[] => [
  ['00620004', 'US', number],
  ['00620005', 'LO', label],
]
const frame = (number: number, z: number): ElementToWrite[] => [
  ['00209113', 'SQ', [[['00200032', 'DS', `-10\\20\\${z}`]]]],
  ['0062000a', 'SQ', [[['0062000b', 'US', number]]]],
  ['00089124', 'SQ', [[['00082112', 'SQ', [[['00081155', 'UI', `1.2.3.${z}`]]]]]]],
]
const segments: ElementToWrite = ['00620002', 'SQ', [segment(1, 'Liver'), segment(2, 'Lesion')]]

describe('readSegmentMasks', () => {
  test('reads frames of single bits that do not end at bytes, lowest bit first', async () => {
    // Two frames of 3 x 3: a cross and a corner. 18 bits, packed by hand: 010111010 100000000.
    const bits = '010111010100000000'
    const packed = Uint8Array.from([0, 1, 2, 3], byte =>
      Array.from(bits.slice(byte * 8, byte * 8 + 8)).reduce((sum, bit, i) => sum + Number(bit) * 2 ** i, 0),
    )
    expect([...packed]).toEqual([0xba, 0x02, 0, 0])
    const masks = await readSegmentMasks(
      writeDicomFile(
        imageElements({ rows: 3, columns: 3, pixels: packed }, [
          ['00280008', 'IS', '2'],
          ['00280100', 'US', 1],
          ['00280101', 'US', 1],
          ['00280102', 'US', 0],
          ['00620001', 'CS', 'BINARY'],
          segments,
          ['52009230', 'SQ', [frame(1, 5), frame(2, 7)]],
        ]),
      ),
    )
    expect(masks.map(({ mask, ...rest }) => ({ ...rest, bits: [...mask.data].join('') }))).toEqual([
      { segment: 1, label: 'Liver', sourceInstance: '1.2.3.5', position: [-10, 20, 5], bits: '010111010' },
      { segment: 2, label: 'Lesion', sourceInstance: '1.2.3.7', position: [-10, 20, 7], bits: '100000000' },
    ])
  })

  test('cuts fractions at half, and tells label maps apart', async () => {
    const fractional = writeDicomFile(
      imageElements({ rows: 1, columns: 4, pixels: Uint8Array.from([0, 49, 50, 100]) }, [
        ['00620001', 'CS', 'FRACTIONAL'],
        ['0062000e', 'US', 100],
        segments,
        ['52009229', 'SQ', [frame(2, 1)]],
      ]),
    )
    expect((await readSegmentMasks(fractional)).map(({ segment: number, mask }) => [number, ...mask.data])).toEqual([
      [2, 0, 0, 1, 1],
    ])
    const labelMap = writeDicomFile(
      imageElements({ rows: 1, columns: 4, pixels: Uint8Array.from([0, 2, 1, 2]) }, [
        ['00620001', 'CS', 'LABELMAP'],
        segments,
      ]),
    )
    expect((await readSegmentMasks(labelMap)).map(({ label, mask }) => [label, ...mask.data])).toEqual([
      ['Liver', 0, 0, 1, 0],
      ['Lesion', 0, 1, 0, 1],
    ])
    expect((await decodeDicom(labelMap)).warnings).toEqual([expect.stringMatching(/segmentation/)])
  })

  test('refuses what has no segments', async () => {
    const picture = writeDicomFile(imageElements({ rows: 1, columns: 2, pixels: new Uint8Array(2) }))
    await expect(readSegmentMasks(picture)).rejects.toMatchObject({ code: 'DATA_DICOM_UNSUPPORTED' })
  })
})
