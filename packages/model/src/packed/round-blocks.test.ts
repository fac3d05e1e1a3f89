import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { roundBlocks } from './round-blocks.ts'
import { widenBlocks } from './widen-blocks.testing.ts'

const url = new URL('../../fixtures/int4/int4.json', import.meta.url)
const reference = JSON.parse(readFileSync(url, 'utf8')) as Record<'weights' | 'packed' | 'scales' | 'values', number[]> // our own fixture

describe('roundBlocks', () => {
  test("gives the codes and scales of ONNX Runtime's quantizer in four bits", () => {
    const { codes, scales } = roundBlocks(Float32Array.from(reference.weights), reference.weights.length, 4)
    expect([...codes]).toEqual(reference.packed)
    expect([...scales]).toEqual([...Float32Array.from(reference.scales)])
  })

  test('the widening of the tests undoes the codes of that quantizer', () => {
    const rounded = { codes: Uint8Array.from(reference.packed), scales: Float32Array.from(reference.scales) }
    const values = widenBlocks(rounded, reference.weights.length, 4)
    values.forEach((value, i) => expect(value).toBeCloseTo(reference.values[i]!, 6))
  })

  const weight = fc.float({ noNaN: true, min: -4, max: 4 })
  test.for([
    { bits: 4, inner: 32, size: 32 },
    { bits: 4, inner: 76, size: 32 },
    { bits: 4, inner: 128, size: 64 },
    { bits: 4, inner: 76, size: 64 },
    { bits: 4, inner: 300, size: 128 },
    { bits: 8, inner: 64, size: 32 },
    { bits: 8, inner: 45, size: 32 },
    { bits: 8, inner: 100, size: 64 },
  ] as const)('keeps every weight within a step: $bits bits, rows of $inner, blocks of $size', each => {
    const { bits, inner, size } = each
    const rows = fc.array(weight, { minLength: 2 * inner, maxLength: 2 * inner })
    fc.assert(
      fc.property(rows, weights => {
        const values = Float32Array.from(weights)
        const rounded = roundBlocks(values, inner, bits, size)
        const back = widenBlocks(rounded, inner, bits, size)
        const blocks = Math.ceil(inner / size)
        back.forEach((value, i) => {
          const block = Math.floor(i / inner) * blocks + Math.floor((i % inner) / size)
          // In four bits the end opposite to the largest weight is a step short.
          const step = Math.abs(rounded.scales[block]!) * (bits === 4 ? 1.0001 : 0.5001)
          expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual(step + 1e-30)
        })
      }),
    )
  })

  test('rounds a block of zeros to zeros', () => {
    for (const bits of [4, 8] as const)
      expect(widenBlocks(roundBlocks(new Float32Array(64), 64, bits), 64, bits).every(value => value === 0)).toBe(true)
  })
})
