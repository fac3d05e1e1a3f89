import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { decodeImage } from './image.ts'
import { realFile, sharedFolder, truthTable, whySkipped } from '../shared.testing.ts'

interface ImageTruth {
  readonly size_wh: readonly [number, number]
  readonly rgb_mean: readonly number[]
  readonly rgb_u8_sha256: string
  readonly exact: boolean
}

const means = (data: Uint8Array) =>
  [0, 1, 2].map(c => data.filter((_, i) => i % 3 === c).reduce((sum, level) => sum + level, 0) / (data.length / 3))

describe(`decodeImage against Pillow${whySkipped}`, () => {
  test.skipIf(whySkipped !== '').for(truthTable<ImageTruth>('image'))('%s', async ([file, truth]) => {
    const image = await decodeImage(readFileSync(realFile(file)), { orientation: 'stored' })
    expect([image.width, image.height]).toEqual(truth.size_wh)
    // Lossless pictures are exact; JPEG decoders may round differently, so their means are compared.
    const hash = createHash('sha256').update(image.data).digest('hex')
    expect(truth.exact ? hash : 'lossy').toBe(truth.exact ? truth.rgb_u8_sha256 : 'lossy')
    for (const [c, mean] of means(image.data).entries()) expect(Math.abs(mean - truth.rgb_mean[c]!)).toBeLessThan(0.5)
  })
})

describe('decodeImage', () => {
  const bmp24 = Buffer.from(
    '424d46000000000000003600000028000000020000000200000001001800000000001000000000000000000000000000000000000000' +
      '0000ff00ff000000ff0000ffffff0000',
    'hex',
  )

  test('reads a bitmap from the bottom up', async () => {
    expect(await decodeImage(bmp24)).toEqual({
      width: 2,
      height: 2,
      data: Uint8Array.from([0, 0, 255, 255, 255, 255, 255, 0, 0, 0, 255, 0]),
    })
  })

  test('repeats grey, drops alpha and clips 16-bit grey', async () => {
    const grey = await sharp(Uint8Array.from([7, 200]), { raw: { width: 2, height: 1, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer()
    expect([...(await decodeImage(grey)).data]).toEqual([7, 7, 7, 200, 200, 200])
    const rgba = await sharp(Uint8Array.from([10, 20, 30, 0]), { raw: { width: 1, height: 1, channels: 4 } })
      .png()
      .toBuffer()
    expect([...(await decodeImage(rgba)).data]).toEqual([10, 20, 30])
    const deep = await sharp(Uint16Array.from([0, 200, 256, 65535]), { raw: { width: 4, height: 1, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer()
    expect((await decodeImage(deep)).data.filter((_, i) => i % 3 === 0)).toEqual(Uint8Array.from([0, 200, 255, 255]))
  })

  test('turns a picture as its EXIF data says', async () => {
    const turned = await sharp(new Uint8Array(4 * 2 * 3), { raw: { width: 4, height: 2, channels: 3 } })
      .jpeg()
      .withExif({ IFD0: { Orientation: '6' } })
      .withMetadata({ orientation: 6 })
      .toBuffer()
    expect(await decodeImage(turned)).toMatchObject({ width: 2, height: 4 })
    expect(await decodeImage(turned, { orientation: 'stored' })).toMatchObject({ width: 4, height: 2 })
  })

  test.for([
    { name: 'no picture', bytes: Buffer.from('not a picture'), want: 'DATA_IMAGE_UNREADABLE' },
    { name: 'nothing', bytes: Buffer.alloc(0), want: 'DATA_IMAGE_UNREADABLE' },
    { name: 'a truncated bitmap', bytes: bmp24.subarray(0, 60), want: 'DATA_IMAGE_UNREADABLE' },
    { name: 'a bitmap that claims too much', bytes: patched(bmp24, 18, 2_000_000_000), want: 'DATA_IMAGE_TOO_LARGE' },
    { name: 'a bitmap of 7 bits', bytes: patched(bmp24, 28, 7), want: 'DATA_IMAGE_UNREADABLE' },
  ])('refuses $name', async ({ bytes, want }) => {
    await expect(decodeImage(bytes)).rejects.toMatchObject({ code: want })
  })

  test.for(['png', 'jpeg'] as const)('refuses a truncated %s', async format => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251)
    const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .toFormat(format)
      .toBuffer()
    await expect(decodeImage(whole.subarray(0, whole.length >> 1))).rejects.toMatchObject({
      code: 'DATA_IMAGE_UNREADABLE',
    })
  })
})

function patched(bytes: Buffer, offset: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeInt32LE(value, offset)
  return copy
}

describe(`decodeImage against the oracle pictures${whySkipped}`, () => {
  test
    .skipIf(whySkipped !== '')
    .for([
      'decode.png',
      'decode.bmp',
      'png_1bit.png',
      'png_gray.png',
      'png_gray16.png',
      'png_palette.png',
      'png_rgba.png',
    ])('%s decodes to the RGB picture of Pillow', async file => {
    const { tensors, read } = oracleTensors(path.join(sharedFolder, 'oracles/images/resize.safetensors'))
    const name = file.startsWith('decode') ? 'img0/raw' : tensors.find(key => key.includes(file.replace('.png', '')))
    expect(name, `no tensor for ${file}`).toBeDefined()
    const image = await decodeImage(readFileSync(path.join(sharedFolder, 'oracles/images', file)))
    expect(Buffer.from(image.data).equals(Buffer.from(read(name!)))).toBe(true)
  })
})

function oracleTensors(file: string): { tensors: string[]; read: (name: string) => Uint8Array } {
  const bytes = readFileSync(file)
  const headerBytes = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<
    string,
    { data_offsets: [number, number] }
  > // safetensors
  return {
    tensors: Object.keys(header),
    read: name => {
      const [start, end] = header[name]!.data_offsets
      return bytes.subarray(8 + headerBytes + start, 8 + headerBytes + end)
    },
  }
}
