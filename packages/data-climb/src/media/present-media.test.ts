import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { imageElements, writeDataSet, writeDicomFile } from '../dicom/write-data-set.testing.ts'
import { synthesise } from '../clinic/synthesise.ts'
import { identifyFile } from './identify-file.ts'
import { decodeImage } from './image.ts'
import { openDataset } from '../open/open-dataset.ts'
import { mediaParts, presentMedia } from './present-media.ts'
import { presentSample } from '../sample/present-sample.ts'
import type { RgbImage, Sample } from '../sample/sample.ts'
import { parseWindow } from '../open/parse-window.ts'
import { windowPresets } from '../volume/intensity-window.ts'
import { encodeNifti } from '../volume/write-nifti.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-present-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const file = path.join(folder, name)
  await writeFile(file, bytes)
  return file
}

function levelsOf({ data }: RgbImage): Set<number> {
  return new Set(data.filter((_, i) => i % 3 === 0))
}

/** A head of water, brain from 0 to 80 and bone at 1000, in air at -1000: 16 x 16 x 8. */
const head = {
  shape: [16, 16, 8],
  dtype: 'int16',
  voxels: Int16Array.from({ length: 16 * 16 * 8 }, (_, i) => {
    const [x, y] = [i % 16, Math.floor(i / 16) % 16]
    const r = Math.hypot(x - 7.5, y - 7.5)
    return r > 7 ? -1000 : r > 6 ? 1000 : Math.round((i * 37) % 81)
  }),
  slope: 1,
  intercept: 0,
  spacing: [1, 1, 5],
  affine: [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 5, 0],
  warnings: [],
} as const

const metaHeader = (comment: string) =>
  Buffer.from(
    `ObjectType = Image\nNDims = 3\nComment = ${comment}\nDimSize = 4 4 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n`,
  )

const shown = async (picture: Sharp, name = 'a.png') =>
  presentMedia(await written(name, await picture.png().toBuffer()))
const rgba = (values: readonly (readonly number[])[]) =>
  sharp(Uint8Array.from(values.flat()), { raw: { width: values.length, height: 1, channels: 4 } })

const deep = (values: readonly number[]) =>
  sharp(Uint16Array.from(values), { raw: { width: values.length, height: 1, channels: 1 } }).toColourspace('grey16')

const cine = (frames: number) =>
  imageElements({ rows: 2, columns: 2, pixels: Uint8Array.from({ length: frames * 4 }, (_, i) => i) }, [
    ['00280008', 'IS', String(frames)],
  ])

const start = (text: string) => Buffer.from(text, 'latin1')

describe('volumes', () => {
  test('in Hounsfield units are seen in the soft-tissue window, which is said, and are one video', async () => {
    const media = await presentMedia(await written('head.nii.gz', gzipSync(encodeNifti(head))))
    expect(media).toMatchObject({ type: 'video', kind: 'nifti', positions: [1, 3, 5, 7], length: 8 })
    expect(media.warnings).toEqual([expect.stringMatching(/Hounsfield.*40\/400/)])
    expect(mediaParts(media)).toEqual([{ type: 'video', frames: media.pictures }])
  })

  test('show what their window shows: a brain has few levels over its whole range, and many in its own window', async () => {
    const file = await written('brain.nii', encodeNifti(head))
    const levels = async (window?: 'brain' | 'range') => {
      const { pictures } = await presentMedia(file, { window })
      return levelsOf(pictures[0] ?? { width: 0, height: 0, data: new Uint8Array() }).size
    }
    // 81 values over 2000 Hounsfield units share 11 levels; the brain window is 80 wide.
    expect(await levels('range')).toBeLessThanOrEqual(13)
    expect(await levels()).toBeGreaterThan(40)
    expect(await levels('brain')).toBeGreaterThan(55)
  })

  test('are seen as the file says, by its calibration', async () => {
    const bytes = encodeNifti(head)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    view.setFloat32(124, 80, true)
    view.setFloat32(128, 0, true)
    const [calibrated, brain] = await Promise.all([
      presentMedia(await written('calibrated.nii', bytes)),
      presentMedia(await written('plain.nii', encodeNifti(head)), { window: { center: 40, width: 80 } }),
    ])
    expect(calibrated.pictures[0]?.data).toEqual(brain.pictures[0]?.data)
    expect(calibrated.warnings).toEqual([])
  })

  test('leave values that are not finite out of the range, count them and show them black', async () => {
    const voxels = Float32Array.from([0, 1, 2, Number.NaN, Infinity, -Infinity])
    const volume = { ...head, shape: [6, 1, 1], dtype: 'float32', voxels } as const
    const media = await presentMedia(await written('odd.nii', encodeNifti(volume)))
    expect(media).toMatchObject({ type: 'image', positions: [0], length: 1 })
    expect([...(media.pictures[0]?.data ?? [])].filter((_, i) => i % 3 === 0)).toEqual([0, 128, 255, 0, 0, 0])
    expect(media.warnings).toEqual([expect.stringMatching(/^3 of 6 voxels are not finite/)])
  })

  test('of a series show the first, and say so', async () => {
    const series = { ...head, shape: [16, 16, 4, 2] }
    const media = await presentMedia(await written('series.nii', encodeNifti(series)))
    expect(media.length).toBe(4)
    expect(media.warnings).toContain('only the first volume of a series is shown')
  })

  test('have MetaImage headers of any length up to 16 MiB', async () => {
    const voxels = Uint8Array.from({ length: 32 }, (_, i) => i)
    const long = await written('long.mha', Buffer.concat([metaHeader('x'.repeat(300_000)), voxels]))
    expect((await presentMedia(long)).length).toBe(2)
    const endless = await written('endless.mha', Buffer.concat([metaHeader('x'.repeat(17 * 2 ** 20)), voxels]))
    await expect(presentMedia(endless)).rejects.toMatchObject({
      code: 'DATA_VOLUME_INVALID',
      message: expect.stringContaining('its header is longer than 16 MiB') as string,
    })
  })
})

describe('one way from a file to a model', () => {
  test.for(['ct', 'mammography', 'ultrasound', 'mri'] as const)(
    '%s looks in `presentMedia` as in training',
    async domain => {
      const dir = path.join(folder, `clinic-${domain}`)
      await synthesise({ dir, seed: 3, size: 12, domains: [domain] })
      const { samples } = await openDataset(`mini_clinic_${domain}`, { root: dir })
      const [sample] = samples
      const window = domain === 'ct' ? parseWindow('mini_clinic_ct') : undefined
      const media = await presentMedia(sample?.files[0] ?? '', { window })
      expect(media.type).toBe(sample?.modality[0])
      expect(media.pictures).toEqual(await sample?.images?.())
    },
  )
})

describe('presentSample', () => {
  test('says what was not applied to the files of a sample', async () => {
    const picture = { width: 1, height: 1, data: new Uint8Array(3), warnings: ['an overlay was not drawn'] }
    const sample: Sample = {
      id: 'x/1',
      dataset: 'x',
      domain: 'chest_xray',
      patientId: 'p',
      modality: ['image'],
      split: 'test',
      question: 'q',
      labels: ['a', 'b'],
      answer: ['a'],
      answerMode: 'single',
      files: [],
      images: async () => [picture, picture],
      reference: () => 'r',
    }
    expect((await presentSample(sample)).warnings).toEqual(['an overlay was not drawn'])
  })
})

describe('windows', () => {
  test.for([
    ['40/400', { center: 40, width: 400 }],
    ['-600/1500', { center: -600, width: 1500 }],
    ['.5/.25', { center: 0.5, width: 0.25 }],
    ['lung', 'lung'],
    ['kits23', { center: 40, width: 400 }],
    ['lndb', { center: -600, width: 1500 }],
    ['mini_clinic_ct', { center: 40, width: 90 }],
    ['file', 'file'],
    ['range', 'range'],
  ] as const)('%s is read', ([text, want]) => {
    expect(parseWindow(text)).toEqual(want)
  })

  test.for(['', '40', '40/', '/400', '40/0', '40/-1', '40/400/1', 'Lung', 'constructor', 'NaN/1', 'busi'])(
    '%j is refused',
    text => {
      expect(() => parseWindow(text)).toThrow(expect.objectContaining({ code: 'DATA_OPTION_INVALID' }))
    },
  )

  test('presets are centred and wide', () => {
    for (const { center, width } of Object.values(windowPresets))
      expect([Number.isFinite(center), width > 0]).toEqual([true, true])
  })
})

describe('pictures', () => {
  test('lie on white where they are transparent, as in the processor of transformers 5', async () => {
    const values = [
      [10, 20, 30, 0],
      [10, 20, 30, 255],
      [10, 20, 30, 128],
      [200, 0, 255, 1],
      [0, 0, 0, 254],
      [7, 99, 180, 77],
    ]
    const media = await shown(rgba(values))
    // Pillow 13: alpha_composite on white, then convert("RGB").
    expect([...(media.pictures[0]?.data ?? [])]).toEqual(
      [
        [255, 255, 255],
        [10, 20, 30],
        [132, 137, 142],
        [255, 254, 255],
        [1, 1, 1],
        [180, 208, 232],
      ].flat(),
    )
    expect(media.warnings).toEqual(['transparent parts were laid on white'])
  })

  test('lie on white where a palette is transparent', async () => {
    const ink = Array.from({ length: 64 }, (_, i) => (i % 8 > 1 && i >> 3 === 4 ? [0, 0, 0, 255] : [0, 0, 0, 0]))
    const picture = sharp(Uint8Array.from(ink.flat()), { raw: { width: 8, height: 8, channels: 4 } }).png({
      palette: true,
    })
    const media = await presentMedia(await written('palette.png', await picture.toBuffer()))
    const levels = [...(media.pictures[0]?.data ?? [])].filter((_, i) => i % 3 === 0)
    expect(levels).toEqual(ink.map(([, , , alpha]) => (alpha === 255 ? 0 : 255)))
  })

  test('in CMYK are converted as Pillow does: blue is blue', async () => {
    const values = [
      [0, 255, 255, 0],
      [255, 255, 0, 0],
      [0, 0, 0, 128],
      [0, 0, 0, 0],
      [10, 200, 90, 30],
      [255, 0, 17, 200],
    ]
    const bytes = cmykTiff(values)
    const want = [
      [255, 0, 0],
      [0, 0, 255],
      [127, 127, 127],
      [255, 255, 255],
      [216, 49, 146],
      [0, 55, 51],
    ].flat()
    expect([...(await decodeImage(bytes)).data]).toEqual(want)
    expect([...((await presentMedia(await written('print.tiff', bytes))).pictures[0]?.data ?? [])]).toEqual(want)
  })

  test.for([
    { name: '16 bits', values: [0, 256, 32_768, 65_535], want: [0, 1, 128, 255] },
    { name: '12 bits', values: [0, 16, 2048, 4095], want: [0, 1, 128, 255] },
    { name: '10 bits', values: [0, 4, 512, 1023], want: [0, 1, 128, 255] },
    { name: '8 bits', values: [0, 1, 128, 255], want: [0, 1, 128, 255] },
  ])('of deep grey keep the highest 8 of $name', async ({ values, want }) => {
    const media = await shown(deep(values))
    expect([...(media.pictures[0]?.data ?? [])].filter((_, i) => i % 3 === 0)).toEqual(want)
    expect(media.warnings.length).toBe(values.at(-1) === 255 ? 0 : 1)
  })

  test('of deep grey with transparent parts lie on white', async () => {
    const values = Uint16Array.from([65_535, 65_535, 0, 65_535, 0, 0, 32_768, 65_535])
    const picture = sharp(values, { raw: { width: 4, height: 1, channels: 2 } })
    const media = await shown(picture.pipelineColourspace('grey16').toColourspace('grey16'))
    expect([...(media.pictures[0]?.data ?? [])].filter((_, i) => i % 3 === 0)).toEqual([255, 0, 255, 128])
    expect(media.warnings).toEqual(['levels of 16 bits were reduced to 8', 'transparent parts were laid on white'])
  })

  test('are turned as their EXIF data say, and whole', async () => {
    const bytes = await sharp(new Uint8Array(6 * 4 * 3).fill(90), { raw: { width: 6, height: 4, channels: 3 } })
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toBuffer()
    const media = await presentMedia(await written('turned.jpg', bytes))
    expect(media).toMatchObject({ type: 'image', kind: 'picture', warnings: [], pictures: [{ width: 4, height: 6 }] })
    expect(mediaParts(media)).toEqual([{ type: 'image', image: media.pictures[0] }])
  })

  test('that move are videos', async () => {
    const frames = Buffer.concat([10, 60, 110, 160, 210].map(level => Buffer.alloc(6 * 4 * 3, level)))
    const gif = await sharp(frames, { raw: { width: 6, height: 20, channels: 3, pageHeight: 4 } })
      .gif({ dither: 0 })
      .toBuffer()
    const media = await presentMedia(await written('moving.gif', gif))
    expect(media).toMatchObject({ type: 'video', kind: 'picture', positions: [0, 1, 3, 4], length: 5 })
    const still = await sharp(frames.subarray(0, 72), { raw: { width: 6, height: 4, channels: 3 } })
      .gif()
      .toBuffer()
    expect((await presentMedia(await written('still.gif', still))).type).toBe('image')
  })
})

/** An uncompressed TIFF of one row in CMYK. */
function cmykTiff(values: readonly (readonly number[])[]): Buffer {
  const pixels = Buffer.from(values.flat())
  const entries = [
    [256, 3, 1, values.length],
    [257, 3, 1, 1],
    [258, 3, 4, 8 + pixels.length],
    [259, 3, 1, 1],
    [262, 3, 1, 5],
    [273, 4, 1, 8],
    [277, 3, 1, 4],
    [278, 3, 1, 1],
    [279, 4, 1, pixels.length],
  ] as const
  const bits = Buffer.from(Uint16Array.from([8, 8, 8, 8]).buffer)
  const ifd = Buffer.alloc(2 + entries.length * 12 + 4)
  ifd.writeUInt16LE(entries.length, 0)
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    ifd.writeUInt16LE(tag, 2 + i * 12)
    ifd.writeUInt16LE(type, 4 + i * 12)
    ifd.writeUInt32LE(count, 6 + i * 12)
    if (type === 3 && count === 1) ifd.writeUInt16LE(value, 10 + i * 12)
    else ifd.writeUInt32LE(value, 10 + i * 12)
  }
  const signature = Buffer.from([0x49, 0x49, 0x2a, 0, 0, 0, 0, 0])
  signature.writeUInt32LE(8 + pixels.length + bits.length, 4)
  return Buffer.concat([signature, pixels, bits, ifd])
}

describe('DICOM files', () => {
  test('of many frames are videos, of which only the shown frames are decoded', async () => {
    const media = await presentMedia({ bytes: writeDicomFile(cine(20)), name: 'cine' })
    expect(media).toMatchObject({ type: 'video', kind: 'dicom', positions: [2, 7, 12, 17], length: 20 })
    expect(media.pictures.length).toBe(4)
  })

  test('are told by content with any name, and carry their warnings', async () => {
    const bytes = writeDataSet(cine(1))
    const media = await presentMedia(await written('scan.jpg', bytes))
    expect(media).toMatchObject({ type: 'image', kind: 'dicom', warnings: ['there is no preamble'] })
    expect(await presentMedia({ bytes, name: 'x' })).toEqual(media)
  })
})

describe('identifyFile', () => {
  test.for<readonly [string, Uint8Array, string, string | undefined]>([
    ['a NIfTI file', encodeNifti(head), 'x', 'nifti'],
    ['a compressed NIfTI file', gzipSync(encodeNifti(head)), 'x.png', 'nifti'],
    ['another compressed file', gzipSync('hello'), 'x', undefined],
    ['a damaged NIfTI file by its name', start('x'), 'scan.NII.GZ', 'nifti'],
    ['a MetaImage', start('ObjectType = Image\nNDims = 3\n'), 'x', 'metaimage'],
    ['a DICOM file', writeDicomFile([]), 'x', 'dicom'],
    [
      'a bare DICOM file',
      writeDataSet(imageElements({ rows: 1, columns: 1, pixels: new Uint8Array(2) })),
      'x.mha',
      'dicom',
    ],
    ['a PNG', start('\u0089PNG\r\n'), 'x.dcm', 'picture'],
    ['a WebP', start('RIFF\0\0\0\0WEBPVP8 '), 'x', 'picture'],
    ['an AVI', start('RIFF\0\0\0\0AVI LIST'), 'x.webp', 'video'],
    ['a sound', start('RIFF\0\0\0\0WAVEfmt '), 'x', undefined],
    ['an MP4', start('\0\0\0 ftypisom'), 'x.bin', 'video'],
    ['a Matroska file', start('\u001aE\u00df\u00a3'), 'x', 'video'],
    ['an MPEG stream', start('\0\0\u0001\u00ba'), 'x', 'video'],
    ['a WFDB header', start('r 2 500 10\n'), 'r.hea', 'wfdb'],
    ['a MATLAB file', start('\0\0\0\0'), 'r.mat', 'mat'],
    ['text', start('hello'), 'x.txt', undefined],
    ['nothing', start(''), '', undefined],
  ])('%s', ([, bytes, name, want]) => {
    expect(identifyFile(bytes, name)).toBe(want)
  })
})

describe('presentMedia refuses', () => {
  test.for<readonly [string, string, Uint8Array, string]>([
    ['a recording', 'r.hea', Buffer.from('r 1 500 10\n'), 'DATA_FORMAT_UNKNOWN'],
    ['text', 'x.txt', Buffer.from('hello'), 'DATA_FORMAT_UNKNOWN'],
    [
      'a header of a volume without its data',
      'x.mhd',
      Buffer.from('NDims = 2\nDimSize = 1 1\nElementType = MET_UCHAR\nElementDataFile = x.raw\n'),
      'DATA_VOLUME_INVALID',
    ],
    ['a video in memory', 'x.mp4', Buffer.from('\0\0\0 ftypisom', 'latin1'), 'DATA_VIDEO_INVALID'],
    ['a picture beyond the limit', 'x.png', Buffer.from('\u0089PNG', 'latin1'), 'DATA_IMAGE_UNREADABLE'],
  ])('%s', async ([, name, bytes, code]) => {
    await expect(presentMedia({ bytes, name })).rejects.toMatchObject({ code })
  })

  test('types that only objects have', async () => {
    for (const type of ['__proto__', 'constructor', 'toString']) {
      const bytes = Buffer.concat([
        Buffer.from(`NDims = 2\nDimSize = 2 2\nElementType = ${type}\nElementDataFile = LOCAL\n`),
        deflateSync(new Uint8Array(4)),
      ])
      await expect(presentMedia({ bytes, name: 'x.mha' })).rejects.toMatchObject({ code: 'DATA_VOLUME_INVALID' })
    }
  })
})
