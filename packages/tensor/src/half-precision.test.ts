import { describe, expect, test } from 'vitest'
import {
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  narrowFloat16,
  widenBfloat16,
  widenFloat16,
} from './half-precision.ts'

describe('float16', () => {
  test('comes back from float32 for all 65,536 bit patterns', () => {
    for (let bits = 0; bits < 65_536; bits++) {
      const value = float16ToFloat32(bits)
      const isNaNPattern = (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0
      expect(isNaNPattern ? Number.isNaN(value) : float32ToFloat16(value) === bits || Object.is(value, -0)).toBe(true)
    }
  })

  test.for([
    { value: 65519, bits: 0x7bff },
    { value: 65520, bits: 0x7c00 },
    { value: 2 ** -25, bits: 0 },
    { value: 2 ** -25 * 1.001, bits: 1 },
    { value: 1 + 2 ** -11, bits: 0x3c00 },
    { value: 1 + 3 * 2 ** -11, bits: 0x3c02 },
    { value: -Infinity, bits: 0xfc00 },
    { value: -2, bits: 0xc000 },
  ])('rounds $value to even', ({ value, bits }) => {
    expect(float32ToFloat16(value)).toBe(bits)
  })
})

describe('widenFloat16', () => {
  test('widens a row', () => {
    const target = new Float32Array(2)
    widenFloat16(Uint16Array.of(0x3c00, 0xbc00), target)
    expect([...target]).toEqual([1, -1])
    expect(narrowFloat16(target)).toEqual(new Uint16Array(Uint16Array.of(0x3c00, 0xbc00)))
  })
})

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
