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
})
