import { float16ToFloat32, widenBfloat16, widenFloat16 } from '@qoq-med/tensor'

/** An element type of GGUF: blocks of elements with shared scales. */
export interface GgmlType {
  readonly name: string
  readonly blockElements: number
  readonly blockBytes: number
  /**
   * Decodes whole blocks.
   *
   * @param bytes [n * blockBytes], at an even address
   * @param values [n * blockElements]
   */
  readonly decode: (bytes: Uint8Array, values: Float32Array) => void
}

/** The types that are read, by ggml's numbers; the layouts are those of ggml-quants.c. */
export const ggmlTypes: Readonly<Record<number, GgmlType>> = {
  0: plain('F32', 4, (bytes, values) => new Uint8Array(values.buffer, values.byteOffset, bytes.length).set(bytes)),
  1: plain('F16', 2, (bytes, values) => widenFloat16(halves(bytes), values)),
  2: blocks('Q4_0', 32, 18, decodeQ4Signed),
  3: blocks('Q4_1', 32, 20, decodeQ4Offset),
  8: blocks('Q8_0', 32, 34, decodeQ8),
  12: blocks('Q4_K', 256, 144, decodeQ4Groups),
  14: blocks('Q6_K', 256, 210, decodeQ6Groups),
  30: plain('BF16', 2, (bytes, values) => widenBfloat16(halves(bytes), values)),
}

/** Decodes the block at byte `at` into the elements from `to` on. */
type BlockDecoder = (view: DataView, at: number, values: Float32Array, to: number) => void

function plain(name: string, blockBytes: number, decode: GgmlType['decode']): GgmlType {
  return { name, blockElements: 1, blockBytes, decode }
}

function blocks(name: string, blockElements: number, blockBytes: number, decodeBlock: BlockDecoder): GgmlType {
  return {
    name,
    blockElements,
    blockBytes,
    decode: (bytes, values) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      for (let at = 0, to = 0; at < bytes.length; at += blockBytes, to += blockElements)
        decodeBlock(view, at, values, to)
    },
  }
}

function halves(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
}

function half(view: DataView, at: number): number {
  return float16ToFloat32(view.getUint16(at, true))
}

/** scale * (q − 8); the low four bits of the bytes are the first half. */
function decodeQ4Signed(view: DataView, at: number, values: Float32Array, to: number): void {
  const scale = half(view, at)
  for (let i = 0; i < 16; i++) {
    const byte = view.getUint8(at + 2 + i)
    values[to + i] = scale * ((byte & 15) - 8)
    values[to + 16 + i] = scale * ((byte >> 4) - 8)
  }
}

/** scale * q + minimum. */
function decodeQ4Offset(view: DataView, at: number, values: Float32Array, to: number): void {
  const scale = half(view, at)
  const minimum = half(view, at + 2)
  for (let i = 0; i < 16; i++) {
    const byte = view.getUint8(at + 4 + i)
    // Rounded after the product and after the sum, as ggml computes in float32.
    values[to + i] = Math.fround(scale * (byte & 15)) + minimum
    values[to + 16 + i] = Math.fround(scale * (byte >> 4)) + minimum
  }
}

/** scale * q. */
function decodeQ8(view: DataView, at: number, values: Float32Array, to: number): void {
  const scale = half(view, at)
  for (let i = 0; i < 32; i++) values[to + i] = scale * view.getInt8(at + 2 + i)
}

/** Eight groups of 32 with 6-bit scales and minima of their own: scale * s * q − minimumScale * m. */
function decodeQ4Groups(view: DataView, at: number, values: Float32Array, to: number): void {
  const scale = half(view, at)
  const minimumScale = half(view, at + 2)
  const packed = (i: number): number => view.getUint8(at + 4 + i)
  for (let group = 0; group < 8; group++) {
    const isFirst = group < 4
    const s = isFirst ? packed(group) & 63 : (packed(group + 4) & 15) | ((packed(group - 4) >> 6) << 4)
    const m = isFirst ? packed(group + 4) & 63 : (packed(group + 4) >> 4) | ((packed(group) >> 6) << 4)
    const groupScale = Math.fround(scale * s)
    const minimum = Math.fround(minimumScale * m)
    const shift = group % 2 === 0 ? 0 : 4
    for (let i = 0; i < 32; i++) {
      const q = (view.getUint8(at + 16 + 32 * (group >> 1) + i) >> shift) & 15
      values[to + 32 * group + i] = Math.fround(groupScale * q) - minimum
    }
  }
}

/** Sixteen groups of 16 with 8-bit scales: scale * s * (q − 32), q from four low and two high bits. */
function decodeQ6Groups(view: DataView, at: number, values: Float32Array, to: number): void {
  const scale = half(view, at + 208)
  for (let part = 0; part < 2; part++) {
    for (let i = 0; i < 32; i++) {
      const high = view.getUint8(at + 128 + 32 * part + i)
      for (let quarter = 0; quarter < 4; quarter++) {
        const low = view.getUint8(at + 64 * part + 32 * (quarter % 2) + i) >> (quarter < 2 ? 0 : 4)
        const q = ((low & 15) | (((high >> (2 * quarter)) & 3) << 4)) - 32
        const s = view.getInt8(at + 192 + 8 * part + 2 * quarter + (i >> 4))
        values[to + 128 * part + 32 * quarter + i] = Math.fround(scale * s) * q
      }
    }
  }
}
