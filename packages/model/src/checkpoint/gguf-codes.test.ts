import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codedTypes, readCodes } from './gguf-codes.ts'
import { ggmlTypes } from './gguf-types.ts'

/** Numbers of the types in a GGUF file. */
const numbers = { Q4_0: 2, Q4_1: 3, Q8_0: 8, Q4_K: 12 } as const

describe('the codes of GGUF types', () => {
  // The decoders are compared with llama.cpp's own values in gguf.test.ts.
  test.for(Object.entries(numbers))('%s are the weights that its decoder gives', ([name, number]) => {
    const [coded, type] = [codedTypes[name]!, ggmlTypes[number]!]
    const block = fc.uint8Array({ minLength: type.blockBytes, maxLength: type.blockBytes })
    fc.assert(
      fc.property(
        fc.array(block, { minLength: 2, maxLength: 2 }),
        fc.tuple(fc.nat(0x3bff), fc.nat(0x3bff)),
        (blocks, halves) => {
          const bytes = new Uint8Array(2 * type.blockBytes)
          blocks.forEach((each, i) => {
            bytes.set(each, i * type.blockBytes)
            // Scales are finite numbers in half precision.
            new DataView(bytes.buffer).setUint16(i * type.blockBytes, halves[0], true)
            if (coded.hasCorrections) new DataView(bytes.buffer).setUint16(i * type.blockBytes + 2, halves[1], true)
          })
          const want = new Float32Array(2 * type.blockElements)
          type.decode(bytes, want)
          const { codes, scales, corrections } = readCodes(coded, bytes)
          const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
          want.forEach((value, i) => {
            const own = Math.floor(i / 32)
            const byte = codes[coded.bits === 8 ? i : i >> 1]!
            const code = coded.bits === 8 ? byte - 128 : (i % 2 === 0 ? byte & 15 : byte >> 4) - 8
            const got = scales[own]! * code + (corrections?.[own] ?? 0)
            expect(Math.abs(got - value)).toBeLessThanOrEqual(1e-6 * largest)
          })
        },
      ),
    )
  })
})
