import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { constants, createDeflateRaw, createGzip, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  imageElements,
  syntaxes,
  writeDataSet,
  writeDicomFile,
  writeEncapsulatedFile,
} from './dicom/write-data-set.testing.ts'
import { inspectFile } from './inspect/inspect.ts'
import { presentMedia } from './media/present-media.ts'
import { startTimeBudget } from './files/time-budget.ts'
import { encodeNifti } from './volume/write-nifti.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-bombs-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const zeroBytes = 2 ** 28
/** What a refused file may cost: less than three quarters of what it would inflate to. */
const maxGrowthBytes = 1.5 * 2 ** 27

/** Compresses `start` and 256 MiB of zeros. */
async function compressed(kind: 'gzip' | 'deflate-raw', start: Uint8Array): Promise<Buffer> {
  const stream = kind === 'gzip' ? createGzip({ level: constants.Z_BEST_SPEED }) : createDeflateRaw()
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  stream.write(start)
  const block = Buffer.alloc(2 ** 22)
  for (let i = 0; i < zeroBytes; i += block.length)
    if (!stream.write(block)) await new Promise(resolve => stream.once('drain', resolve))
  await new Promise<void>(resolve => stream.end(resolve))
  return Buffer.concat(parts)
}

const volume = (shape: readonly number[]) =>
  encodeNifti({
    shape,
    dtype: 'int16',
    voxels: new Int16Array(64),
    slope: 1,
    intercept: 0,
    spacing: [1, 1, 1],
    affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
    warnings: [],
  })

const head = (dimensions: string) =>
  `ObjectType = Image\nNDims = 3\nDimSize = ${dimensions}\nElementType = MET_SHORT\nCompressedData = True\nElementDataFile = LOCAL\n`

const tags = (rows: number, columns: number, frames = 1) =>
  imageElements({ rows, columns, pixels: new Uint8Array(2) }, [['00280008', 'IS', String(frames)]])

/** A deflated DICOM file whose data set goes on with 256 MiB of zeros. */
async function deflatedDicom(start: Uint8Array): Promise<Buffer> {
  return Buffer.concat([
    writeDicomFile([], { syntax: syntaxes.deflated }).subarray(0, -2),
    await compressed('deflate-raw', start),
  ])
}

function openElement(group: number, element: number, length: number): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt16LE(group, 0)
  bytes.writeUInt16LE(element, 2)
  bytes.write('OB', 4, 'latin1')
  bytes.writeUInt32LE(length, 8)
  return bytes
}

/** A JPEG of one block with the given size written into its header. */
async function lyingJpeg(width: number, height: number, isProgressive = false): Promise<Buffer> {
  const small = await sharp(new Uint8Array(64), { raw: { width: 8, height: 8, channels: 1 } })
    .toColourspace('b-w')
    .jpeg({ progressive: isProgressive, mozjpeg: false })
    .toBuffer()
  const at = [0xc0, 0xc2].map(marker => small.indexOf(Buffer.of(0xff, marker))).find(found => found >= 0) ?? 0
  small.writeUInt16BE(height, at + 5)
  small.writeUInt16BE(width, at + 7)
  return small
}

/** A JPEG 2000 header that claims a size, and nothing behind it. */
function lyingJpeg2000(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(64)
  bytes.writeUInt32BE(0xff4fff51, 0)
  bytes.writeUInt16BE(41, 4)
  for (const [i, value] of [width, height, 0, 0, width, height, 0, 0].entries()) bytes.writeUInt32BE(value, 8 + 4 * i)
  bytes.writeUInt16BE(1, 40)
  bytes.set([7, 1, 1], 42)
  return bytes
}

const chunk = (name: string, body: Uint8Array) => {
  const bytes = Buffer.alloc(12 + body.length)
  bytes.writeUInt32BE(body.length, 0)
  bytes.write(name, 4, 'latin1')
  bytes.set(body, 8)
  return bytes
}

function png(width: number, height: number, bits: 8 | 16, type: 0 | 2): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([bits, type], 8)
  return Buffer.concat([
    Buffer.from('\u0089PNG\r\n\u001a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(9))),
  ])
}

function gif(frames: number): Buffer {
  const frame = Buffer.from([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0])
  return Buffer.concat([
    Buffer.from('GIF89a'),
    Buffer.from([8, 0, 8, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]),
    ...Array.from({ length: frames }, () => frame),
  ])
}

/** An RLE frame of one run. */
const shortRle = () => {
  const bytes = Buffer.alloc(66)
  bytes.writeUInt32LE(1, 0)
  bytes.writeUInt32LE(64, 4)
  bytes[64] = 129
  return bytes
}

const packed = (rows: number, columns: number, syntax: string, frame: Uint8Array) =>
  writeEncapsulatedFile(tags(rows, columns), { syntax, frames: [frame] })

describe('files that claim or inflate to far more than they hold', () => {
  test.for<readonly [string, string, () => Buffer | Promise<Buffer>, string]>([
    ['gzip behind a small volume', 'x.nii.gz', () => compressed('gzip', volume([4, 4, 4])), 'DATA_VOLUME_INVALID'],
    [
      'a volume that claims more than its bytes inflate to',
      'x.nii.gz',
      () => Buffer.from(gzipSync(volume([900, 900, 900]))),
      'DATA_VOLUME_INVALID',
    ],
    [
      'a volume that claims more than 2 GiB',
      'x.nii',
      () => Buffer.from(volume([3000, 3000, 3000])),
      'DATA_VOLUME_INVALID',
    ],
    [
      'zlib behind a small volume',
      'x.mha',
      async () => Buffer.concat([Buffer.from(head('4 4 4')), deflateSync(Buffer.alloc(zeroBytes))]),
      'DATA_VOLUME_INVALID',
    ],
    [
      'a MetaImage that claims more than its bytes inflate to',
      'x.mha',
      () => Buffer.concat([Buffer.from(head('900 900 900')), deflateSync(Buffer.alloc(9))]),
      'DATA_VOLUME_INVALID',
    ],
    ['RLE of 20,000 x 20,000', 'x.dcm', () => packed(20_000, 20_000, syntaxes.rle, shortRle()), 'DATA_DICOM_INVALID'],
    [
      'RLE of 11,000 x 11,000 in a run',
      'x.dcm',
      () => packed(11_000, 11_000, syntaxes.rle, shortRle()),
      'DATA_DICOM_INVALID',
    ],
    [
      'a JPEG frame that lies',
      'x.dcm',
      async () => packed(11_000, 11_000, syntaxes.jpegBaseline, await lyingJpeg(11_000, 11_000)),
      'DATA_DICOM_INVALID',
    ],
    [
      'a JPEG frame of another size than the tags',
      'x.dcm',
      async () => packed(8, 8, syntaxes.jpegBaseline, await lyingJpeg(11_000, 11_000)),
      'DATA_DICOM_INVALID',
    ],
    [
      'a JPEG 2000 frame of another size than the tags',
      'x.dcm',
      () => packed(8, 8, '1.2.840.10008.1.2.4.90', lyingJpeg2000(20_000, 20_000)),
      'DATA_DICOM_INVALID',
    ],
    [
      'a JPEG 2000 frame that lies',
      'x.dcm',
      () => packed(11_000, 11_000, '1.2.840.10008.1.2.4.90', lyingJpeg2000(11_000, 11_000)),
      'DATA_DICOM_INVALID',
    ],
    ['a JPEG that lies', 'x.jpg', () => lyingJpeg(13_000, 13_000), 'DATA_IMAGE_UNREADABLE'],
    ['a progressive JPEG that lies', 'x.jpg', () => lyingJpeg(13_000, 13_000, true), 'DATA_IMAGE_UNREADABLE'],
    ['a PNG of 16 bits, 13,000 x 13,000', 'x.png', () => png(13_000, 13_000, 16, 0), 'DATA_IMAGE_TOO_LARGE'],
    ['a PNG of three times 16 bits', 'x.png', () => png(8_000, 8_000, 16, 2), 'DATA_IMAGE_TOO_LARGE'],
    ['a PNG of one pixel by 50,000,000', 'x.png', () => png(1, 50_000_000, 8, 0), 'DATA_IMAGE_UNREADABLE'],
    ['a GIF of 100,001 frames', 'x.gif', () => gif(100_001), 'DATA_IMAGE_UNREADABLE'],
    [
      'a deflated DICOM file whose pixels go on',
      'x.dcm',
      () =>
        deflatedDicom(Buffer.concat([writeDataSet(tags(4, 4)).subarray(0, -14), openElement(0x7fe0, 0x10, zeroBytes)])),
      'DATA_DICOM_INVALID',
    ],
    [
      'a deflated DICOM file that goes on before its pixels',
      'x.dcm',
      () => deflatedDicom(Buffer.concat([writeDataSet([['00080016', 'UI', '1.2']]), openElement(9, 0x10, zeroBytes)])),
      'DATA_DICOM_INVALID',
    ],
    [
      'a deflated DICOM file that goes on behind its pixels',
      'x.dcm',
      () => deflatedDicom(writeDataSet(tags(1, 2))),
      'DATA_DICOM_INVALID',
    ],
    [
      '20,000 large frames',
      'x.dcm',
      () =>
        writeEncapsulatedFile(tags(8000, 8000, 20_000), {
          syntax: syntaxes.rle,
          frames: Array.from({ length: 20_000 }, shortRle),
        }),
      'DATA_DICOM_INVALID|DATA_DICOM_TOO_LARGE',
    ],
  ])('%s', async ([, name, make, code]) => {
    const file = path.join(folder, name)
    await writeFile(file, await make())
    const before = process.memoryUsage().rss
    const failures = [
      await presentMedia(file).catch((error: unknown) => error),
      await inspectFile(file).catch((error: unknown) => error),
    ]
    expect(process.memoryUsage().rss - before).toBeLessThan(maxGrowthBytes)
    for (const failure of failures) expect(failure).toMatchObject({ code: expect.stringMatching(code) as string })
  })

  test('honest files of blank pixels are read, however small they are', async () => {
    const blank = await sharp(new Uint8Array(3000 * 3000), { raw: { width: 3000, height: 3000, channels: 1 } })
      .toColourspace('b-w')
      .jpeg()
      .toBuffer()
    expect((await presentMedia({ bytes: blank, name: 'x' })).pictures[0]).toMatchObject({ width: 3000, height: 3000 })
    const zeros = encodeNifti({
      shape: [128, 128, 64],
      dtype: 'int16',
      voxels: new Int16Array(2 ** 20),
      slope: 1,
      intercept: 0,
      spacing: [1, 1, 1],
      affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
      warnings: [],
    })
    expect((await presentMedia({ bytes: gzipSync(zeros, { level: 9 }), name: 'x' })).length).toBe(64)
    const whole = Buffer.concat([
      writeDicomFile([], { syntax: syntaxes.deflated }).subarray(0, -2),
      deflateRawSync(writeDataSet(imageElements({ rows: 400, columns: 400, pixels: new Uint8Array(160_000) }))),
    ])
    expect((await presentMedia({ bytes: whole, name: 'x' })).pictures[0]?.width).toBe(400)
  })
})

describe('startTimeBudget', () => {
  test('gives a file up when its time is over, and not before', async () => {
    const later = startTimeBudget(0.02)
    later()
    await new Promise(resolve => setTimeout(resolve, 40))
    expect(later).toThrow(expect.objectContaining({ code: 'DATA_TIME_EXCEEDED' }))
  })
})

describe('damaged pictures', () => {
  test('a JPEG whose data break off before its end marker is shown as other readers do, and said', async () => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251)
    const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .jpeg()
      .toBuffer()
    const damaged = Buffer.concat([whole.subarray(0, whole.length >> 1), Buffer.of(0xff, 0xd9)])
    const media = await presentMedia({ bytes: damaged, name: 'x.jpg' })
    expect(media.warnings).toEqual([expect.stringMatching(/damaged/)])
    expect((await presentMedia({ bytes: whole, name: 'x.jpg' })).warnings).toEqual([])
  })
})
