import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dequantizeInt4, quantizeInt4 } from './quantize-int4.ts'

const url = new URL('../../fixtures/int4/int4.json', import.meta.url)
const reference = JSON.parse(readFileSync(url, 'utf8')) as Record<'weights' | 'packed' | 'scales' | 'values', number[]> // our own fixture

describe('quantizeInt4', () => {
  test("gives the codes and scales of ONNX Runtime's quantizer", () => {
    const { packed, scales } = quantizeInt4(Float32Array.from(reference.weights))
    expect([...packed]).toEqual(reference.packed)
    expect([...scales]).toEqual([...Float32Array.from(reference.scales)])
  })

  test('is undone up to the rounding of a code', () => {
    const values = dequantizeInt4({
      packed: Uint8Array.from(reference.packed),
      scales: Float32Array.from(reference.scales),
    })
    values.forEach((value, i) => expect(value).toBeCloseTo(reference.values[i]!, 6))
  })

  test('keeps the largest weight of a block, and every weight within a step', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true, min: -4, max: 4 }), { minLength: 32, maxLength: 32 }), weights => {
        const values = Float32Array.from(weights)
        const int4 = quantizeInt4(values)
        const step = Math.abs(int4.scales[0]!)
        dequantizeInt4(int4).forEach((value, i) =>
          expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual(1.0001 * step),
        )
        const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
        expect(8 * step).toBeCloseTo(largest, 5)
      }),
    )
  })

  test('refuses weights that do not fill blocks', () => {
    const error = expect.objectContaining({ code: 'MODEL_OPTION_INVALID' })
    expect(() => quantizeInt4(new Float32Array(33))).toThrow(error)
  })
})
