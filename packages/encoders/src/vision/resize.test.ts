import { describe, expect, test } from 'vitest'
import { fixturePath, maxAbsDifference, oraclePath, oracles, readSafetensors } from '../../test/oracle-files.ts'
import { resizeBicubic } from './bicubic-resize.ts'
import { resizeNearest } from './nearest-resize.ts'
import type { RgbImage } from './rgb-image.ts'

function rgb(path: string, name: string): RgbImage {
  const { shape, data } = readSafetensors(path).u8(name)
  return { height: shape[0]!, width: shape[1]!, data }
}

const always = fixturePath('images.safetensors')
const full = oraclePath('images/resize.safetensors')
const resizes = [resizeBicubic, resizeNearest] as const
const cases = [
  ...['bicubic_smart', 'bicubic_down', 'nearest'].map(kind => ({ path: always, image: 'img0', kind })),
  ...['img0', 'img1', 'img2'].flatMap(image =>
    ['bicubic_smart', 'bicubic_down', 'bicubic_up', 'nearest'].map(kind => ({ path: full, image, kind })),
  ),
]

describe('resize', () => {
  for (const { path, image, kind } of cases)
    test.skipIf(path === full && !oracles.present)(
      `equals Pillow's ${kind} of ${image}, ${path === full ? `full oracle${oracles.why}` : 'kept copy'}`,
      () => {
        const want = rgb(path, `${image}/pil_${kind}`)
        const resize = resizes[kind === 'nearest' ? 1 : 0]
        const got = resize(rgb(path, `${image}/raw`), want)
        expect(maxAbsDifference(got.data, want.data)).toBe(0)
      },
    )

  test('resizes grey as it resizes colour', () => {
    const image = rgb(always, 'img0/raw')
    const grey = { ...image, data: image.data.map((_, i) => image.data[i - (i % 3)]!) } // the red level of the pixel
    const size = { width: 37, height: 61 }
    const [got, want] = [resizeBicubic(grey, size).data, resizeBicubic(image, size).data]
    expect(got).toEqual(want.map((_, i) => want[i - (i % 3)]!))
  })

  test.for([
    { from: [1, 1], to: [5, 3] },
    { from: [3, 2], to: [17, 1] },
    { from: [200, 3], to: [7, 50] },
    { from: [40, 300], to: [33, 9] },
  ] as const)('of $from to $to equals the sums written out', ({ from, to }) => {
    const [width, height] = from
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7919) % 251)
    const got = resizeBicubic({ width, height, data }, { width: to[0], height: to[1] })
    expect(got.data).toEqual(resizedPlainly({ width, height, data }, { width: to[0], height: to[1] }))
  })

  test('keeps an image of the wanted size', () => {
    const image = rgb(always, 'img0/raw')
    expect(resizeBicubic(image, image).data).toEqual(image.data)
  })

  test('refuses data that do not match the size', () => {
    const broken = { width: 4, height: 4, data: new Uint8Array(47) }
    const thrown = expect.objectContaining({ code: 'ENCODERS_IMAGE_SIZE' })
    expect(() => resizeBicubic(broken, { width: 2, height: 2 })).toThrow(thrown)
    expect(() => resizeNearest(broken, { width: 2, height: 2 })).toThrow(thrown)
  })

  test('refuses data that are no bytes, which would be cut to bytes in silence', () => {
    const floats = { width: 4, height: 4, data: new Float32Array(48) as unknown as Uint8Array }
    const thrown = expect.objectContaining({
      code: 'ENCODERS_IMAGE_DATA',
      message: 'An RGB image has bytes, but the data of this one are of the kind Float32Array.',
    })
    expect(() => resizeBicubic(floats, { width: 2, height: 2 })).toThrow(thrown)
    expect(() => resizeNearest(floats, { width: 2, height: 2 })).toThrow(thrown)
  })
})

/** Pillow's resampling in float64 weights rounded to 22 bits, one sample after the other. */
function resizedPlainly(
  { width, height, data }: RgbImage,
  size: { readonly width: number; readonly height: number },
): Uint8Array {
  const lost = height - size.height
  const rowsOf = (from: Uint8Array, w: number, h: number): Uint8Array => {
    const out = new Uint8Array(size.width * h * 3)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < size.width; x++)
        for (let c = 0; c < 3; c++)
          out[(y * size.width + x) * 3 + c] = weighted(w, size.width, x, i => from[(y * w + i) * 3 + c]!)
    return out
  }
  const columnsOf = (from: Uint8Array, w: number, h: number): Uint8Array => {
    const out = new Uint8Array(w * size.height * 3)
    for (let y = 0; y < size.height; y++)
      for (let x = 0; x < w * 3; x++) out[y * w * 3 + x] = weighted(h, size.height, y, i => from[i * w * 3 + x]!)
    return out
  }
  const isColumnsFirst = lost > 0 && lost > 2 * (width - size.width)
  return isColumnsFirst
    ? rowsOf(columnsOf(data, width, height), width, size.height)
    : columnsOf(rowsOf(data, width, height), size.width, height)
}

/** One output sample from the input samples that the widened cubic kernel reaches. */
function weighted(inLength: number, outLength: number, at: number, sample: (i: number) => number): number {
  if (inLength === outLength) return sample(at)
  const scale = inLength / outLength
  const filterScale = Math.max(1, scale)
  const center = (at + 0.5) * scale
  const start = Math.max(0, Math.trunc(center - 2 * filterScale + 0.5))
  const end = Math.min(inLength, Math.trunc(center + 2 * filterScale + 0.5))
  const kernel = Array.from({ length: end - start }, (_, i) => keys(Math.abs((i + start - center + 0.5) / filterScale)))
  const total = kernel.reduce((sum, weight) => sum + weight, 0)
  const sum = kernel.reduce((all, weight, i) => {
    const fixed = (weight / total) * 2 ** 22
    return all + Math.trunc(fixed + Math.sign(fixed) * 0.5) * sample(start + i)
  }, 2 ** 21)
  return Math.max(0, Math.min(255, Math.floor(sum / 2 ** 22)))
}

function keys(x: number): number {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0
}
