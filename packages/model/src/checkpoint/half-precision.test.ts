import { describe, expect, test } from 'vitest'
import { float32ToBfloat16, widenBfloat16 } from './half-precision.ts'

describe('bfloat16', () => {
  test('comes back from float32 for all finite bit patterns', () => {
    const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i).filter(each => (each & 0x7f80) !== 0x7f80)
    const values = new Float32Array(bits.length)
    widenBfloat16(bits, values)
    expect(Uint16Array.from(values, float32ToBfloat16)).toEqual(bits)
  })

  test.for([
    { value: 1 + 2 ** -8, bits: 0x3f80 },
    { value: 1 + 3 * 2 ** -8, bits: 0x3f82 },
    { value: 1 + 2 ** -8 + 2 ** -20, bits: 0x3f81 },
    { value: 3.4e38, bits: 0x7f80 },
  ])('rounds $value to even', ({ value, bits }) => {
    expect(float32ToBfloat16(value)).toBe(bits)
  })

  test('keeps NaN a NaN', () => {
    const values = new Float32Array(1)
    widenBfloat16(Uint16Array.of(float32ToBfloat16(NaN)), values)
    expect(values[0]).toBeNaN()
  })
})
