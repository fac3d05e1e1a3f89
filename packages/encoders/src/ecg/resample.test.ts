import { describe, expect, test } from 'vitest'
import { fixturePath, readJson } from '../../test/oracle-files.ts'
import { fourierTransform } from './fft.ts'
import { resampleFourier } from './resample.ts'

/** Deterministic values in (-1, 1). */
function noise(length: number, seed: number): Float64Array {
  let state = seed
  return Float64Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 1_073_741_824 - 1
  })
}

/** The definition, in O(n²). */
function slowTransform(re: Float64Array, im: Float64Array): { re: number[]; im: number[] } {
  const out = { re: [] as number[], im: [] as number[] }
  for (let k = 0; k < re.length; k++) {
    let [real, imaginary] = [0, 0]
    re.forEach((value, n) => {
      const angle = (-2 * Math.PI * ((n * k) % re.length)) / re.length
      real += value * Math.cos(angle) - im[n]! * Math.sin(angle)
      imaginary += value * Math.sin(angle) + im[n]! * Math.cos(angle)
    })
    out.re.push(real)
    out.im.push(imaginary)
  }
  return out
}

describe('fourierTransform', () => {
  test.for([1, 2, 3, 4, 5, 6, 7, 8, 12, 15, 16, 20, 25, 60, 97, 100, 257, 360, 500, 514])(
    'equals the definition at length %i',
    length => {
      const re = noise(length, 1)
      const im = noise(length, 2)
      const want = slowTransform(re, im)
      fourierTransform(length).transform(re, im)
      for (let k = 0; k < length; k++) {
        expect(Math.abs(re[k]! - want.re[k]!)).toBeLessThan(1e-10)
        expect(Math.abs(im[k]! - want.im[k]!)).toBeLessThan(1e-10)
      }
    },
  )

  test.for([2570, 5000, 10_001])('is undone by its inverse at length %i', length => {
    const [re, im] = [noise(length, 3), noise(length, 4)]
    const plan = fourierTransform(length)
    plan.transform(re, im)
    plan.transform(im, re)
    const want = noise(length, 3)
    re.forEach((value, n) => expect(Math.abs(value / length - want[n]!)).toBeLessThan(1e-12))
  })
})

function wave(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * 37 * i) / length + 0.3))
}

interface Row {
  x: number[]
  num: number
  fft_resample: number[]
}

describe('resampleFourier', () => {
  test('equals scipy.signal.resample on its table', () => {
    const rows = readJson(fixturePath('resample_table.json')) as Row[]
    expect(rows.length).toBeGreaterThan(5)
    for (const { x, num, fft_resample: want } of rows) {
      const [got, alone] = resampleFourier([Float32Array.from(x), new Float32Array(x.length)], num)
      const peak = Math.max(...want.map(Math.abs))
      want.forEach((value, i) => expect(Math.abs(got![i]! - value), `${x.length} to ${num}`).toBeLessThan(1e-6 * peak))
      expect(alone!.every(value => Math.abs(value) < 1e-12)).toBe(true)
    }
  })

  test('keeps a sine of any frequency both rates have', () => {
    for (const [from, to] of [
      [10_001, 2500],
      [2570, 2500],
      [1000, 2500],
      [2500, 2570],
    ] as const) {
      const [got] = resampleFourier([wave(from)], to)
      wave(to).forEach((value, i) => expect(Math.abs(got![i]! - value)).toBeLessThan(1e-6))
    }
  })

  test('refuses empty signals and lengths', () => {
    const thrown = expect.objectContaining({ code: 'ENCODERS_RESAMPLE_LENGTH' })
    expect(() => resampleFourier([new Float32Array(4)], 0)).toThrow(thrown)
    expect(() => resampleFourier([new Float32Array(0)], 4)).toThrow(thrown)
    expect(() => resampleFourier([new Float32Array(4)], 2.5)).toThrow(thrown)
  })
})
