import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import type { WindowChoice } from '../volume/intensity-window.ts'
import { dicomPictures } from './dicom-display.ts'
import { decodeDicom } from './dicom-image.ts'
import {
  imageElements,
  syntaxes,
  writeDicomFile,
  writeEncapsulatedFile,
  type ElementToWrite,
} from './write-data-set.testing.ts'

/** The grey levels of each picture. */
async function greys(bytes: Uint8Array, window?: WindowChoice): Promise<number[][]> {
  const pictures = dicomPictures(await decodeDicom(bytes), { window })
  return pictures.map(({ data }) => Array.from(data.filter((_, i) => i % 3 === 0)))
}

const ramp = { rows: 8, columns: 8, pixels: Uint16Array.from({ length: 64 }, (_, i) => i * 64), bitsStored: 12 }
const lut = (count: number, first: number, bits: number, entries: readonly number[]): ElementToWrite[] => [
  ['00283002', 'US', [count, first, bits]],
  ['00283006', 'OW', entries],
]

const row = (values: readonly number[]) => ({ rows: 1, columns: values.length, pixels: Int16Array.from(values) })

const frame = (value: number) => [...Array.from({ length: 32 }, () => 0), ...Array.from({ length: 32 }, () => value)]

const scale = (slope: string): ElementToWrite => [
  '00289145',
  'SQ',
  [
    [
      ['00281052', 'DS', '0'],
      ['00281053', 'DS', slope],
    ],
  ],
]

const atHighEnd = (pixels: Uint16Array) =>
  decodeDicom(writeDicomFile(imageElements({ rows: 1, columns: 3, pixels, bitsStored: 12, highBit: 15 })))

const tables = (entry: (i: number, channel: number) => number, bits = 16): ElementToWrite[] =>
  [0, 1, 2].flatMap(channel => [
    [`0028110${channel + 1}`, 'US', [256, 0, bits]] as const,
    [`0028120${channel + 1}`, 'OW', Array.from({ length: 256 }, (_, i) => entry(i, channel))] as const,
  ])

const shown = async (bytes: Uint8Array) => [...(dicomPictures(await decodeDicom(bytes))[0]?.data ?? [])]

const quarter = (x: number, y: number) =>
  y < 16 ? (x < 16 ? [200, 30, 30] : [30, 30, 200]) : x < 16 ? [0, 0, 0] : [128, 128, 128]

describe('lookup tables and windows', () => {
  test('a VOI LUT is applied: a strong gamma, as pydicom gives it', async () => {
    const entries = Array.from({ length: 4096 }, (_, x) => Math.round(65_535 * (x / 4095) ** 3))
    const bytes = writeDicomFile(imageElements(ramp, [['00283010', 'SQ', [lut(4096, 0, 16, entries)]]]))
    // pydicom's apply_voi_lut of every eighth pixel: 0, 128, 1025, 3458, 8198, 16011, 27668, 43936 of 65,535.
    const [picture = []] = await greys(bytes)
    expect(picture.filter((_, i) => i % 8 === 0)).toEqual([0, 0, 4, 13, 32, 62, 108, 171])
  })

  test('a Modality LUT is applied: the first pixel is the brightest', async () => {
    const entries = Array.from({ length: 4096 }, (_, x) => 4095 - x)
    const bytes = writeDicomFile(
      imageElements(ramp, [
        ['00283000', 'SQ', [[...lut(4096, 0, 16, entries), ['00283004', 'LO', 'OD']]]],
        ['00281050', 'DS', '2048'],
        ['00281051', 'DS', '4096'],
      ]),
    )
    const [picture = []] = await greys(bytes)
    // apply_modality_lut gives 4095 for 0 and 63 for 4032.
    expect([picture[0], picture[63]]).toEqual([255, 4])
  })

  test.for([
    // By hand: LINEAR is ((x - 39.5) / 79 + .5) * 255, LINEAR_EXACT ((x - 40) / 80 + .5) * 255, SIGMOID 255 / (1 + exp(-(x - 40) / 20)).
    { shape: undefined, want: [0, 0, 129, 255, 255] },
    { shape: 'LINEAR', want: [0, 0, 129, 255, 255] },
    { shape: 'LINEAR_EXACT', want: [0, 0, 128, 255, 255] },
    { shape: 'SIGMOID', want: [24, 30, 128, 225, 255] },
  ])('a window is applied by its function, $shape', async ({ shape, want }) => {
    const others: ElementToWrite[] = [
      ['00281050', 'DS', '40\\300'],
      ['00281051', 'DS', '80\\2000'],
      ...(shape === undefined ? [] : ([['00281056', 'CS', shape]] as const)),
    ]
    expect(await greys(writeDicomFile(imageElements(row([-5, 0, 40, 80, 1000]), others)))).toEqual([want])
  })

  test.for([
    { center: '1', width: '1', want: [0, 255] },
    { center: '0.5', width: '1', want: [0, 255] },
    { center: '0', width: '1', want: [255, 255] },
  ])('a window of width 1 about $center is a threshold', async ({ center, width, want }) => {
    const window: ElementToWrite[] = [
      ['00281050', 'DS', center],
      ['00281051', 'DS', width],
    ]
    expect(await greys(writeDicomFile(imageElements(row([0, 1]), window)))).toEqual([want])
  })

  test.for([
    { name: 'a width of zero', center: '10', width: '0', warning: /window/ },
    { name: 'a centre that is none', center: 'x', width: '10', warning: /window/ },
    { name: 'a width below 1', center: '0.5', width: '0.5', warning: /LINEAR_EXACT/ },
  ])('says what it made of $name', async ({ center, width, warning }) => {
    const window: ElementToWrite[] = [
      ['00281050', 'DS', center],
      ['00281051', 'DS', width],
    ]
    const { warnings } = await decodeDicom(writeDicomFile(imageElements(row([0, 1]), window)))
    expect(warnings).toEqual([expect.stringMatching(warning)])
  })

  test('a given window, a preset and the range stand above what the file says', async () => {
    const window: ElementToWrite[] = [
      ['00281050', 'DS', '40'],
      ['00281051', 'DS', '80'],
    ]
    const bytes = writeDicomFile(imageElements(row([-1000, -600, 0, 40, 1000]), window))
    expect(await greys(bytes, 'range')).toEqual([[0, 51, 128, 133, 255]])
    expect(await greys(bytes, { center: 0, width: 2000 })).toEqual([[0, 51, 128, 133, 255]])
    // ((x + 600) / 1500 + .5) * 255 for 0 and 40.
    expect((await greys(bytes, 'lung'))[0]?.slice(1)).toEqual([128, 230, 236, 255])
  })
})

describe('frames of enhanced objects', () => {
  test('are scaled and windowed by their functional groups', async () => {
    const pixels = Uint16Array.from([1000, 1040, 1080, 3000].flatMap(frame))
    const transformation: ElementToWrite[] = [
      ['00281052', 'DS', '-1000'],
      ['00281053', 'DS', '1'],
    ]
    const bytes = writeDicomFile(
      imageElements({ rows: 8, columns: 8, pixels, bitsStored: 12 }, [
        ['00280008', 'IS', '4'],
        [
          '52009229',
          'SQ',
          [
            [
              ['00289110', 'SQ', [[['00280030', 'DS', '0.5\\0.5']]]],
              [
                '00289132',
                'SQ',
                [
                  [
                    ['00281050', 'DS', '40'],
                    ['00281051', 'DS', '80'],
                  ],
                ],
              ],
            ],
          ],
        ],
        ['52009230', 'SQ', [1, 2, 3, 4].map(() => [['00289145', 'SQ', [transformation]]] as const)],
      ]),
    )
    const image = await decodeDicom(bytes)
    expect(image).toMatchObject({ intercept: -1000, spacing: [0.5, 0.5], window: { center: 40, width: 80 } })
    expect((await greys(bytes)).map(picture => picture[63])).toEqual([0, 129, 255, 255])
    expect((await greys(bytes)).map(picture => picture[0])).toEqual([0, 0, 0, 0])
  })

  test('may each have their own scale, as PET has', async () => {
    const bytes = writeDicomFile(
      imageElements({ rows: 1, columns: 2, pixels: Uint16Array.from([0, 100, 0, 100]) }, [
        ['00280008', 'IS', '2'],
        ['52009230', 'SQ', [[scale('1')], [scale('0.5')]]],
      ]),
    )
    expect(await greys(bytes)).toEqual([
      [0, 255],
      [0, 128],
    ])
  })

  test.for(['0', ''])('NumberOfFrames %j means one', async frames => {
    const image = await decodeDicom(writeDicomFile(imageElements(ramp, [['00280008', 'IS', frames]])))
    expect(image).toMatchObject({ shape: [8, 8], warnings: [expect.stringMatching(/NumberOfFrames/)] })
  })

  test('are read beyond the claimed number where bytes are there, as pydicom does', async () => {
    const image = await decodeDicom(
      writeDicomFile(imageElements({ rows: 1, columns: 2, pixels: Uint16Array.from([1, 2, 3, 4]) })),
    )
    expect(image).toMatchObject({ shape: [2, 1, 2], warnings: [expect.stringMatching(/2 frames/)] })
  })
})

describe('stored bits', () => {
  test.for([
    {
      name: 'overlay bits above unsigned ones',
      pixels: Uint16Array.from([0x1fff, 0xf001, 0x0800]),
      want: [0xfff, 1, 0x800],
    },
    { name: 'bits above signed ones', pixels: Int16Array.from([0x0fff, 0x7801, 0x0007]), want: [-1, -2047, 7] },
  ])('$name are left out, and said', async ({ pixels, want }) => {
    const image = await decodeDicom(writeDicomFile(imageElements({ rows: 1, columns: 3, pixels, bitsStored: 12 })))
    expect([...image.pixels]).toEqual(want)
    expect(image.warnings).toEqual([expect.stringMatching(/above the 12 stored/)])
  })

  test('pixels at the high end are moved down where their content shows that they stand there', async () => {
    expect([...(await atHighEnd(Uint16Array.from([0x0010, 0xfff0, 0x8000]))).pixels]).toEqual([1, 0xfff, 0x800])
    // Low bits in use: HighBit is wrong, as pydicom takes it.
    expect([...(await atHighEnd(Uint16Array.from([1, 2, 3]))).pixels]).toEqual([1, 2, 3])
  })
})

describe('colours', () => {
  const indexes = { rows: 1, columns: 6, pixels: Uint8Array.from([0, 1, 2, 3, 4, 255]), photometric: 'PALETTE COLOR' }
  test.for([
    { name: 'full words', entry: (i: number) => i * 257 },
    { name: 'levels in the high byte', entry: (i: number) => i * 256 },
    { name: 'levels of 8 bits in words that claim 16', entry: (i: number) => i },
  ])('a palette of $name is looked up', async ({ entry }) => {
    const level = (i: number, channel: number) => (i >= 4 ? entry(i) : i === channel + 1 ? entry(255) : 0)
    expect(await shown(writeDicomFile(imageElements(indexes, tables(level))))).toEqual(
      [
        [0, 0, 0],
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [4, 4, 4],
        [255, 255, 255],
      ].flat(),
    )
  })

  test('a segmented palette is expanded: entries, a line, and both again', async () => {
    const segments = [0, 2, 0, 1000, 1, 3, 4000, 2, 1, 0, 0]
    const segmented: ElementToWrite[] = [1, 2, 3].flatMap(channel => [
      [`0028110${channel}`, 'US', [7, 0, 16]] as const,
      [`0028122${channel}`, 'OW', segments] as const,
    ])
    const pixels = Uint8Array.from([0, 1, 2, 3, 4, 5, 6])
    const bytes = writeDicomFile(
      imageElements({ rows: 1, columns: 7, pixels, photometric: 'PALETTE COLOR' }, segmented),
    )
    // 0, 1000, then the line to 4000 (2000, 3000, 4000), then the first segment again.
    expect((await shown(bytes)).filter((_, i) => i % 3 === 0)).toEqual(
      [0, 1000, 2000, 3000, 4000, 0, 1000].map(v => v >> 8),
    )
  })

  test('a JFIF stream is YCbCr whatever the tag says', async () => {
    const rgb = Uint8Array.from(Array.from({ length: 32 * 32 }, (_, i) => quarter(i % 32, i >> 5)).flat())
    const stream = await sharp(rgb, { raw: { width: 32, height: 32, channels: 3 } })
      .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
      .toBuffer()
    const segment = [0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]
    const jfif = Buffer.concat([stream.subarray(0, 2), Uint8Array.from(segment), stream.subarray(2)])
    const elements = imageElements({ rows: 32, columns: 32, samples: 3, pixels: rgb, photometric: 'RGB' })
    const image = await decodeDicom(writeEncapsulatedFile(elements, { syntax: syntaxes.jpegBaseline, frames: [jfif] }))
    const at = (x: number, y: number) => [...image.pixels.subarray((y * 32 + x) * 3, (y * 32 + x) * 3 + 3)]
    for (const [x, y] of [
      [4, 4],
      [28, 4],
      [4, 28],
      [28, 28],
    ] as const)
      for (const [c, level] of quarter(x, y).entries())
        expect(Math.abs((at(x, y)[c] ?? 0) - level)).toBeLessThanOrEqual(2)
    expect(image.warnings).toEqual([expect.stringMatching(/YCbCr by their own header/)])
  })

  test.for(['OB', 'OW'] as const)('8-bit pixels in big-endian %s stand in the right order', async vr => {
    const pixels = Uint8Array.from({ length: 64 }, (_, i) => i)
    const stored = vr === 'OB' ? pixels : pixels.map((_, i) => i ^ 1)
    const elements = imageElements({ rows: 8, columns: 8, pixels }, [['7fe00010', vr, stored]])
    const image = await decodeDicom(writeDicomFile(elements, { syntax: syntaxes.explicitBig }))
    expect([...image.pixels]).toEqual([...pixels])
  })

  test('colours of 16 bits of which 8 are stored are not black', async () => {
    const pixels = Uint16Array.from([10, 128, 255])
    const bytes = writeDicomFile(
      imageElements({ rows: 1, columns: 1, samples: 3, pixels, bitsStored: 8, photometric: 'RGB' }),
    )
    expect(await shown(bytes)).toEqual([10, 128, 255])
  })
})

describe('padding and inversion', () => {
  const field = Int16Array.from([-32_768, -32_768, 0, 40, 60, -32_768])
  const scan = { rows: 1, columns: 6, pixels: field }

  test('padding is left out of the range, and black', async () => {
    expect(await greys(writeDicomFile(imageElements(scan, [['00280120', 'SS', -32_768]])))).toEqual([
      [0, 0, 0, 170, 255, 0],
    ])
  })

  test('a range of padding values is too, and stays black where low values are bright', async () => {
    const pixels = Uint16Array.from([0, 5, 10, 20, 30])
    const others: ElementToWrite[] = [
      ['00280120', 'US', 0],
      ['00280121', 'US', 9],
    ]
    const bytes = writeDicomFile(imageElements({ rows: 1, columns: 5, pixels, photometric: 'MONOCHROME1' }, others))
    expect(await greys(bytes)).toEqual([[0, 0, 255, 127, 0]])
  })

  test.for([
    { photometric: 'MONOCHROME2', shape: 'IDENTITY', want: [0, 255] },
    { photometric: 'MONOCHROME2', shape: 'INVERSE', want: [255, 0] },
    // Both say the same thing, as DX images have to (PS3.3 C.8.11.3.1.2).
    { photometric: 'MONOCHROME1', shape: 'INVERSE', want: [255, 0] },
    { photometric: 'MONOCHROME1', shape: undefined, want: [255, 0] },
  ])('$photometric with the shape $shape', async ({ photometric, shape, want }) => {
    const others: ElementToWrite[] = shape === undefined ? [] : [['20500020', 'CS', shape]]
    const bytes = writeDicomFile(
      imageElements({ rows: 1, columns: 2, pixels: Uint16Array.from([0, 9]), photometric }, others),
    )
    expect(await greys(bytes)).toEqual([want])
  })
})
