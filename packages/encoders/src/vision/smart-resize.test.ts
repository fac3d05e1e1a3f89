import { isHintedError } from '@qoq-med/errors'
import { describe, expect, test } from 'vitest'
import { fixturePath, readJson } from '../../test/oracle-files.ts'
import { smartResize } from './smart-resize.ts'

interface Case {
  height: number
  width: number
  factor: number
  min_pixels: number
  max_pixels: number
  out: [number, number] | { error: string }
}
const { cases } = readJson(fixturePath('smart_resize.json')) as { cases: Case[] }

describe('smartResize', () => {
  test('chooses the sizes that transformers chooses', () => {
    expect(cases.length).toBe(176)
    const sizes = cases.map(({ height, width, factor, min_pixels: minPixels, max_pixels: maxPixels }) => {
      try {
        const size = smartResize(height, width, factor, { minPixels, maxPixels })
        return [size.height, size.width]
      } catch (error) {
        return isHintedError(error) && error.code === 'ENCODERS_IMAGE_ASPECT' ? 'refused' : error
      }
    })
    expect(sizes).toEqual(cases.map(({ out }) => (Array.isArray(out) ? out : 'refused')))
  })

  test('refuses limits that no image can meet', () => {
    const thrown = expect.objectContaining({ code: 'ENCODERS_PIXEL_LIMITS' })
    expect(() => smartResize(50, 50, 28, { minPixels: 1000, maxPixels: 900 })).toThrow(thrown)
    expect(() => smartResize(50, 50, 28, { minPixels: 0, maxPixels: 700 })).toThrow(thrown)
  })
})
