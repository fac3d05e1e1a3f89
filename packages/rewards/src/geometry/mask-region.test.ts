import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { integralRegion } from './integral-region.ts'
import type { MaskRegion } from './mask.ts'
import { encodeMask } from './mask-region.ts'
import { runRegion } from './run-region.ts'

const randomMask = fc
  .record({ width: fc.integer({ min: 1, max: 19 }), height: fc.integer({ min: 1, max: 19 }), offset: fc.nat(9) })
  .chain(({ width, height, offset }) =>
    fc
      .array(fc.constantFrom(0, 0, 0, 1, 128, 255), { minLength: width * height, maxLength: width * height })
      .map(pixels => {
        const data = new Uint8Array(offset + pixels.length).subarray(offset)
        data.set(pixels)
        return { width, height, data }
      }),
  )

function count(data: Uint8Array, width: number, [left, top, right, bottom]: readonly number[]): number {
  return data.filter((pixel, i) => {
    const [x, y] = [i % width, Math.floor(i / width)]
    return pixel !== 0 && x >= left! && x < right! && y >= top! && y < bottom!
  }).length
}

describe('encodeMask', () => {
  test('counts what a loop over the pixels counts, in every encoding', () => {
    const property = fc.property(randomMask, fc.array(fc.nat(19), { minLength: 4, maxLength: 4 }), (mask, corners) => {
      const [a = 0, b = 0, c = 0, d = 0] = corners.map((value, i) => Math.min(value, i % 2 ? mask.height : mask.width))
      const window = [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)] as const
      const rle = runsOf(mask.data)
      const runs = inside(rle)
      const regions: MaskRegion[] = [
        encodeMask(mask),
        encodeMask({ width: mask.width, height: mask.height, rle }),
        runRegion(mask.width, mask.height, runs),
        integralRegion(mask.width, mask.height, mask.data),
      ]
      const want = count(mask.data, mask.width, window)
      return regions.every(
        region => region.pixelsWithin(...window) === want && region.area === mask.data.filter(Boolean).length,
      )
    })
    expect(() => fc.assert(property, { numRuns: 1000 })).not.toThrow()
  })

  test('takes a table of sums for a ragged mask', () => {
    const data = Uint8Array.from({ length: 64 * 64 }, (_, i) => i % 2)
    const rle = Array.from(data, () => 1)
    for (const mask of [
      { width: 64, height: 64, data },
      { width: 64, height: 64, rle },
    ]) {
      expect(encodeMask(mask).pixelsWithin(1, 1, 63, 63)).toBe(62 * 31)
    }
  })

  test('encodes a mask once', () => {
    const mask = { width: 2, height: 1, rle: [1, 1] }
    expect(encodeMask(mask)).toBe(encodeMask(mask))
    expect(encodeMask(encodeMask(mask))).toBe(encodeMask(mask))
  })

  test.for([
    { width: 2, height: 2, rle: [3], code: 'REWARDS_MASK_SIZE' },
    { width: 0, height: 2, rle: [], code: 'REWARDS_MASK_SIZE' },
    { width: 1e9, height: 1e9, rle: [1e18], code: 'REWARDS_MASK_SIZE' },
    { width: 1.5, height: 2, rle: [3], code: 'REWARDS_MASK_SIZE' },
    { width: 2, height: 1, rle: [-1, 3], code: 'REWARDS_MASK_RUNS' },
    { width: 2, height: 1, rle: [NaN], code: 'REWARDS_MASK_RUNS' },
  ])('refuses $rle for $width by $height', ({ code, ...mask }) => {
    expect(() => encodeMask(mask)).toThrow(expect.objectContaining({ code }))
  })

  test('refuses pixels of another size', () => {
    expect(() => encodeMask({ width: 2, height: 2, data: new Uint8Array(3) })).toThrow(
      expect.objectContaining({ code: 'REWARDS_MASK_SIZE' }),
    )
  })
})

function runsOf(data: Uint8Array): readonly number[] {
  const rle: number[] = []
  let [inRun, length] = [false, 0]
  for (const pixel of data) {
    if ((pixel !== 0) === inRun) length += 1
    else {
      rle.push(length)
      ;[inRun, length] = [!inRun, 1]
    }
  }
  return [...rle, length]
}

function inside(rle: readonly number[]): { starts: number[]; ends: number[] } {
  const ends = rle.map((_, i) => rle.slice(0, i + 1).reduce((sum, run) => sum + run, 0))
  const odd = rle.map((_, i) => i).filter(i => i % 2 === 1)
  return { starts: odd.map(i => ends[i]! - rle[i]!), ends: odd.map(i => ends[i]!) }
}
