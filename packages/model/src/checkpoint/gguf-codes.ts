import { float16ToFloat32 } from '@qoq-med/tensor'

/** Codes of rows in the layout of the runtime's product with rounded weights (MatMulNBits, blocks of 32). */
export interface StoredCodes {
  /** [rows, blocks * 16] in four bits, [rows, blocks * 32] in eight; a weight is scale * (code − 8) or (code − 128), … */
  readonly codes: Uint8Array
  /** [rows, blocks] */
  readonly scales: Float32Array
  /** [rows, blocks] … plus the block's correction, where the type has minima. */
  readonly corrections?: Float32Array
}

/** An element type whose weights can be kept as they are stored. */
export interface CodedType {
  readonly bits: 4 | 8
  readonly hasCorrections: boolean
  /** Bytes and blocks of 32 of what ggml calls a block. */
  readonly blockBytes: number
  readonly blocks: number
  /** Reads the block at byte `at` into the codes, scales and corrections from block `block` on. */
  readonly read: (view: DataView, at: number, to: StoredCodes, block: number) => void
}

/** By ggml's name; layouts as in ggml-quants.c. Q5_K and Q6_K have more bits than four and are rounded to eight. */
export const codedTypes: Readonly<Record<string, CodedType>> = {
  Q4_0: { bits: 4, hasCorrections: false, blockBytes: 18, blocks: 1, read: readQ4Signed },
  Q4_1: { bits: 4, hasCorrections: true, blockBytes: 20, blocks: 1, read: readQ4Offset },
  Q8_0: { bits: 8, hasCorrections: false, blockBytes: 34, blocks: 1, read: readQ8 },
  Q4_K: { bits: 4, hasCorrections: true, blockBytes: 144, blocks: 8, read: readQ4Groups },
}

/** Reads rows of stored bytes. @param bytes [rows * blocks of a row], whole rows */
export function readCodes(type: CodedType, bytes: Uint8Array): StoredCodes {
  const count = (bytes.length / type.blockBytes) * type.blocks
  const to: StoredCodes = {
    codes: new Uint8Array(count * 4 * type.bits),
    scales: new Float32Array(count),
    ...(type.hasCorrections && { corrections: new Float32Array(count) }),
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0, block = 0; at < bytes.length; at += type.blockBytes, block += type.blocks)
    type.read(view, at, to, block)
  return to
}

function half(view: DataView, at: number): number {
  return float16ToFloat32(view.getUint16(at, true))
}

/** Stored are weights 0 and 16 in one byte, 1 and 17 in the next, …; wanted are 0 and 1, 2 and 3, … */
function writeHalves(view: DataView, at: number, codes: Uint8Array, block: number): void {
  for (let i = 0; i < 8; i++) {
    const [a, b] = [view.getUint8(at + 2 * i), view.getUint8(at + 2 * i + 1)]
    codes[16 * block + i] = (a & 15) | ((b & 15) << 4)
    codes[16 * block + 8 + i] = (a >> 4) | (b & 0xf0)
  }
}

/** scale * (q − 8) */
function readQ4Signed(view: DataView, at: number, { codes, scales }: StoredCodes, block: number): void {
  scales[block] = half(view, at)
  writeHalves(view, at + 2, codes, block)
}

/** scale * q + minimum = scale * (q − 8) + (8 * scale + minimum) */
function readQ4Offset(view: DataView, at: number, { codes, scales, corrections }: StoredCodes, block: number): void {
  const scale = half(view, at)
  scales[block] = scale
  corrections![block] = 8 * scale + half(view, at + 2) // the type has them
  writeHalves(view, at + 4, codes, block)
}

/** scale * q */
function readQ8(view: DataView, at: number, { codes, scales }: StoredCodes, block: number): void {
  scales[block] = half(view, at)
  for (let i = 0; i < 32; i++) codes[32 * block + i] = view.getInt8(at + 2 + i) + 128
}

/** Eight groups of 32, two in the halves of the same 32 bytes: scale * s * q − minimumScale * m. */
function readQ4Groups(view: DataView, at: number, { codes, scales, corrections }: StoredCodes, block: number): void {
  const [scale, minimumScale] = [half(view, at), half(view, at + 2)]
  const packed = (i: number): number => view.getUint8(at + 4 + i)
  for (let group = 0; group < 8; group++) {
    const isFirst = group < 4
    const s = isFirst ? packed(group) & 63 : (packed(group + 4) & 15) | ((packed(group - 4) >> 6) << 4)
    const m = isFirst ? packed(group + 4) & 63 : (packed(group + 4) >> 4) | ((packed(group) >> 6) << 4)
    const own = Math.fround(scale * s)
    scales[block + group] = own
    corrections![block + group] = 8 * own - Math.fround(minimumScale * m) // the type has them
    const [start, shift] = [at + 16 + 32 * (group >> 1), group % 2 === 0 ? 0 : 4]
    for (let i = 0; i < 16; i++) {
      const [low, high] = [view.getUint8(start + 2 * i) >> shift, view.getUint8(start + 2 * i + 1) >> shift]
      codes[16 * (block + group) + i] = (low & 15) | ((high & 15) << 4)
    }
  }
}
