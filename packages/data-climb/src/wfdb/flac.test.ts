import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeFlac } from './flac.ts'

/** Writes bit fields, most significant first. */
class BitWriter {
  readonly #bits: number[] = []

  write(value: number, count: number): this {
    for (let i = count - 1; i >= 0; i--) this.#bits.push(Math.floor(value / 2 ** i) & 1)
    return this
  }

  bytes(): number[] {
    const padded = [...this.#bits, ...Array.from({ length: (8 - (this.#bits.length % 8)) % 8 }, () => 0)]
    return Array.from({ length: padded.length / 8 }, (_, i) =>
      padded.slice(i * 8, i * 8 + 8).reduce((byte, bit) => byte * 2 + bit, 0),
    )
  }
}

function crc(bytes: readonly number[], polynomial: number, width: number): number {
  let value = 0
  for (const byte of bytes) {
    value ^= byte << (width - 8)
    for (let i = 0; i < 8; i++)
      value = (value & (1 << (width - 1)) ? (value << 1) ^ polynomial : value << 1) & (2 ** width - 1)
  }
  return value
}

const unsigned = (value: number, bits: number) => (value < 0 ? value + 2 ** bits : value)

type Subframe = (writer: BitWriter) => void

const verbatim =
  (samples: readonly number[]): Subframe =>
  writer => {
    writer.write(1 << 1, 8)
    for (const sample of samples) writer.write(unsigned(sample, 16), 16)
  }

/** Fixed prediction of order 1 with one Rice partition. */
const firstOrder =
  (samples: readonly number[], parameter: number): Subframe =>
  writer => {
    writer
      .write(9 << 1, 8)
      .write(unsigned(samples[0]!, 16), 16)
      .write(0, 2)
      .write(0, 4)
      .write(parameter, 4)
    for (let i = 1; i < samples.length; i++) {
      const residual = samples[i]! - samples[i - 1]!
      const folded = residual < 0 ? -2 * residual - 1 : 2 * residual
      for (let k = 0; k < Math.floor(folded / 2 ** parameter); k++) writer.write(0, 1)
      writer.write(1, 1).write(folded % 2 ** parameter, parameter)
    }
  }

/** A stream of one frame with the given channels of 16 bits. */
function stream(blockSize: number, channels: readonly Subframe[]): Uint8Array {
  const info = new BitWriter()
    .write(0x664c6143, 32)
    .write(0x80, 8)
    .write(34, 24)
    .write(16, 16)
    .write(16, 16)
    .write(0, 48)
  info
    .write(500, 20)
    .write(channels.length - 1, 3)
    .write(15, 5)
    .write(blockSize, 36)
    .write(0, 64)
    .write(0, 64)
  const head = new BitWriter()
    .write(0xfff8, 16)
    .write(6, 4)
    .write(0, 4)
    .write(channels.length - 1, 4)
    .write(4, 3)
    .write(0, 1)
    .write(0, 8)
    .write(blockSize - 1, 8)
    .bytes()
  const body = new BitWriter()
  for (const channel of channels) channel(body)
  const frame = [...head, crc(head, 0x07, 8), ...body.bytes()]
  const check = crc(frame, 0x8005, 16)
  return Uint8Array.from([...info.bytes(), ...frame, check >> 8, check & 0xff])
}

const samples = fc.array(fc.integer({ min: -32768, max: 32767 }), { minLength: 1, maxLength: 60 })

describe('decodeFlac', () => {
  test('reads verbatim and predicted channels', () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 8, max: 14 }), (values, parameter) => {
        const { channels, bitsPerSample } = decodeFlac(
          stream(values.length, [verbatim(values), firstOrder(values, parameter)]),
          values.length,
        )
        expect(bitsPerSample).toBe(16)
        expect(channels.map(channel => [...channel])).toEqual([values, values])
      }),
    )
  })

  test('gives no more samples than asked for', () => {
    expect(decodeFlac(stream(5, [verbatim([1, 2, 3, 4, 5])]), 3).channels[0]).toEqual(Int32Array.from([1, 2, 3]))
  })

  const good = stream(5, [firstOrder([1, 2, 3, 4, 5], 2)])
  const flipped = (at: number) => good.map((byte, i) => (i === at ? byte ^ 0x10 : byte))

  test.for([
    { name: 'a stream without its magic', bytes: flipped(0) },
    { name: 'a frame without its sync code', bytes: flipped(42) },
    { name: 'a frame header that fails its checksum', bytes: flipped(47) },
    { name: 'a frame that fails its checksum', bytes: flipped(good.length - 1) },
    { name: 'a stream that ends inside a frame', bytes: good.subarray(0, good.length - 4) },
    { name: 'a metadata block past the end', bytes: good.map((byte, i) => (i === 4 ? 0 : byte)) },
  ])('refuses $name', ({ bytes }) => {
    expect(() => decodeFlac(bytes, 5)).toThrow(expect.objectContaining({ code: 'WFDB_BAD_FLAC' }))
  })
})
