import { describe, expect, test } from 'vitest'
import {
  fixturePath,
  maxAbsDifference,
  oraclePath,
  oracles,
  readJson,
  readSafetensors,
} from '../../test/oracle-files.ts'
import type { OracleFile } from '../../test/oracle-files.ts'
import {
  defaultImageProcessor,
  nearestSize,
  processImage,
  processVideo,
  releaseImageProcessor,
  seenSize,
} from './image-processor.ts'
import type { RgbImage } from './rgb-image.ts'
import { smartResize } from './smart-resize.ts'

const fixtures = readSafetensors(fixturePath('images.safetensors'))
const tinyLimits = { ...defaultImageProcessor, minPixels: 784, maxPixels: 18_816 }
const imageLimits = { ...defaultImageProcessor, minPixels: 3136, maxPixels: 12_544 }

function rgb(file: OracleFile, name: string): RgbImage {
  const { shape, data } = file.u8(name)
  return { height: shape[0]!, width: shape[1]!, data }
}

function plain(width: number, height: number, level = 0): RgbImage {
  return { width, height, data: new Uint8Array(width * height * 3).fill(level) }
}

describe('processImage', () => {
  test('gives the pixel values of Qwen2VLImageProcessorPil, kept copy', () => {
    const want = fixtures.f32('img0/pixel_values_pil')
    const got = processImage(rgb(fixtures, 'img0/raw'), imageLimits)
    expect(got.gridThw).toEqual([1, 4, 6])
    expect(maxAbsDifference(got.pixelValues, want.data)).toBeLessThan(1e-6)
  })

  test.skipIf(!oracles.present)(`gives the pixel values and grids of all oracles${oracles.why}`, () => {
    const images = readSafetensors(oraclePath('images/resize.safetensors'))
    for (const name of ['img0', 'img1', 'img2']) {
      const got = processImage(rgb(images, `${name}/raw`), imageLimits)
      expect(got.gridThw).toEqual([...images.i32(`${name}/image_grid_thw`).data])
      expect(maxAbsDifference(got.pixelValues, images.f32(`${name}/pixel_values_pil`).data)).toBeLessThan(1e-6)
    }
    const models = readSafetensors(oraclePath('models/qwen25vl_tiny_cases.safetensors'))
    for (const name of ['image0', 'image1', 'image2']) {
      const got = processImage(rgb(models, `raw/${name}`), tinyLimits)
      expect(got.gridThw).toEqual([...models.i32(`prep/${name}/grid_thw`).data])
      expect(maxAbsDifference(got.pixelValues, models.f32(`prep/${name}/pixel_values`).data)).toBeLessThan(1e-6)
    }
  })

  test.skipIf(!oracles.present)(`sizes images as the released code does${oracles.why}`, () => {
    interface Sized {
      width: number
      height: number
      out_width: number
      out_height: number
      then_smart_resize_hw: number[]
    }
    const { qoq_process_image: cases } = readJson(oraclePath('images/images.json')) as { qoq_process_image: Sized[] }
    expect(cases.length).toBe(10)
    for (const { width, height, out_width, out_height, then_smart_resize_hw } of cases) {
      const size = nearestSize({ width, height }, releaseImageProcessor.nearestFirst!) // the release preset has it
      expect(size).toEqual({ width: out_width, height: out_height })
      const smart = smartResize(size.height, size.width, 28, releaseImageProcessor)
      expect([smart.height, smart.width]).toEqual(then_smart_resize_hw)
      const seen = seenSize({ width, height }, releaseImageProcessor)
      expect([seen.height, seen.width]).toEqual(then_smart_resize_hw)
    }
  })

  test('caps an image at 524,288 pixels, and the release preset enlarges small ones first', () => {
    expect(processImage(plain(1000, 1000)).gridThw).toEqual([1, 50, 50])
    expect(processImage(plain(100, 100), releaseImageProcessor).gridThw).toEqual([1, 18, 18])
  })
})

describe('seenSize', () => {
  const sizes = [
    [30, 30],
    [100, 41],
    [640, 480],
    [1024, 333],
  ] as const
  test.for([defaultImageProcessor, releaseImageProcessor, tinyLimits])(
    'is the size of the patches that a picture is cut into (%#)',
    config => {
      for (const [width, height] of sizes) {
        const [, rows, columns] = processImage(plain(width, height), config).gridThw
        expect(seenSize({ width, height }, config)).toEqual({
          width: columns * config.patchSize,
          height: rows * config.patchSize,
        })
      }
    },
  )
})

describe('processVideo', () => {
  test.skipIf(!oracles.present)(`gives the patches of 4, 5 and 6 frames${oracles.why}`, () => {
    const images = readSafetensors(oraclePath('images/resize.safetensors'))
    for (const count of [4, 5]) {
      const frames = Array.from({ length: count }, (_, i) => rgb(images, `video/frame${i}`))
      const got = processVideo(frames, imageLimits)
      expect(got.gridThw).toEqual([...images.i32(`video/grid_${count}frames`).data])
      expect(maxAbsDifference(got.pixelValues, images.f32(`video/pixel_values_${count}frames`).data)).toBeLessThan(1e-6)
    }
    const models = readSafetensors(oraclePath('models/qwen25vl_tiny_cases.safetensors'))
    for (const [name, prefix, count] of [
      ['video4', 'frame', 4],
      ['video6', 'video6_frame', 6],
    ] as const) {
      const frames = Array.from({ length: count }, (_, i) => rgb(models, `raw/${prefix}${i}`))
      const got = processVideo(frames, tinyLimits)
      expect(got.gridThw).toEqual([...models.i32(`prep/${name}/grid_thw`).data])
      expect(maxAbsDifference(got.pixelValues, models.f32(`prep/${name}/pixel_values`).data)).toBeLessThan(1e-6)
    }
  })

  test('repeats the last frame of an odd clip', () => {
    const config = { ...defaultImageProcessor, minPixels: 784 }
    expect(processVideo([plain(28, 28, 1), plain(28, 28, 2), plain(28, 28, 3)], config)).toEqual(
      processVideo([plain(28, 28, 1), plain(28, 28, 2), plain(28, 28, 3), plain(28, 28, 3)], config),
    )
  })

  test('refuses frames of different sizes and empty clips', () => {
    expect(() => processVideo([plain(28, 28), plain(56, 28)])).toThrow(
      expect.objectContaining({ code: 'ENCODERS_FRAME_SIZES' }),
    )
    expect(() => processVideo([])).toThrow(expect.objectContaining({ code: 'ENCODERS_FRAMES_EMPTY' }))
  })
})
