/** The WFDB storage formats that are read, as written in headers. */
export const storageFormats = [
  '8',
  '16',
  '24',
  '32',
  '61',
  '80',
  '160',
  '212',
  '310',
  '311',
  '508',
  '516',
  '524',
] as const

/** A WFDB storage format: 8 to 311 are packed integers, 508, 516 and 524 are FLAC streams of 8, 16 and 24 bits. */
export type StorageFormat = (typeof storageFormats)[number]

interface PackedFormat {
  /** Bytes that hold `samples` samples, the last group shortened as WFDB writes it. */
  readonly bytes: (samples: number) => number
  /** Samples that `bytes` bytes hold. */
  readonly samples: (bytes: number) => number
  /** Decodes `out.length` samples from the start of `view`. */
  readonly unpack: (view: DataView, out: Int32Array) => void
  /** Digital value that means "no sample", where the format has one. */
  readonly missing: number | undefined
}

const byBytes = (width: number) => ({
  bytes: (samples: number) => samples * width,
  samples: (bytes: number) => Math.floor(bytes / width),
})

/** How each packed format is laid out; FLAC streams are decoded elsewhere. */
export const packedFormats: Readonly<Record<string, PackedFormat>> = {
  // First differences: the caller adds the initial value and sums up.
  '8': { ...byBytes(1), missing: undefined, unpack: (view, out) => fill(out, i => view.getInt8(i)) },
  '16': { ...byBytes(2), missing: -32768, unpack: unpackInt16 },
  '24': {
    ...byBytes(3),
    missing: -8388608,
    unpack: (view, out) => fill(out, i => view.getUint16(i * 3, true) | (view.getInt8(i * 3 + 2) << 16)),
  },
  '32': { ...byBytes(4), missing: -2147483648, unpack: (view, out) => fill(out, i => view.getInt32(i * 4, true)) },
  '61': { ...byBytes(2), missing: -32768, unpack: (view, out) => fill(out, i => view.getInt16(i * 2, false)) },
  '80': { ...byBytes(1), missing: -128, unpack: (view, out) => fill(out, i => view.getUint8(i) - 128) },
  '160': { ...byBytes(2), missing: -32768, unpack: (view, out) => fill(out, i => view.getUint16(i * 2, true) - 32768) },
  '212': {
    bytes: samples => Math.ceil(samples * 1.5),
    samples: bytes => Math.floor(bytes / 1.5),
    missing: -2048,
    unpack: unpack212,
  },
  '310': {
    bytes: samples => Math.floor(samples / 3) * 4 + [0, 2, 4][samples % 3]!, // three entries for a remainder of 0, 1, 2
    samples: bytes => Math.floor(bytes / 4) * 3 + (bytes % 4 >= 2 ? 1 : 0),
    missing: -512,
    unpack: unpack310,
  },
  '311': {
    bytes: samples => Math.floor(samples / 3) * 4 + [0, 2, 3][samples % 3]!, // three entries for a remainder of 0, 1, 2
    samples: bytes => Math.floor(bytes / 4) * 3 + [0, 0, 1, 2][bytes % 4]!, // four entries for a remainder of 0 to 3
    missing: -512,
    unpack: unpack311,
  },
}

/** Bits per sample of the FLAC formats. */
export const flacBits: Readonly<Record<string, number>> = { '508': 8, '516': 16, '524': 24 }

/** The digital value that stands for a missing sample in a format, or undefined. */
export function missingValue(format: StorageFormat): number | undefined {
  const bits = flacBits[format]
  return bits === undefined ? packedFormats[format]?.missing : -(2 ** (bits - 1))
}

function fill(out: Int32Array, sample: (i: number) => number): void {
  for (let i = 0; i < out.length; i++) out[i] = sample(i)
}

function unpackInt16(view: DataView, out: Int32Array): void {
  fill(out, i => view.getInt16(i * 2, true))
}

/** Format 16 needs no unpacking where the samples lie aligned in memory: the bytes are the samples. */
export function alignedInt16(view: DataView, samples: number): Int16Array | undefined {
  return view.byteOffset % 2 === 0 && isLittleEndian ? new Int16Array(view.buffer, view.byteOffset, samples) : undefined
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Two 12-bit samples in three bytes. */
function unpack212(view: DataView, out: Int32Array): void {
  for (let i = 0, at = 0; i < out.length; i += 2, at += 3) {
    const middle = view.getUint8(at + 1)
    out[i] = signed(view.getUint8(at) | ((middle & 0x0f) << 8), 12)
    if (i + 1 < out.length) out[i + 1] = signed(view.getUint8(at + 2) | ((middle & 0xf0) << 4), 12)
  }
}

/** Three 10-bit samples in two 16-bit words, each word's lowest bit unused; the third is spread over both words' tops. */
function unpack310(view: DataView, out: Int32Array): void {
  for (let i = 0, at = 0; i < out.length; i += 3, at += 4) {
    const low = view.getUint16(at, true)
    out[i] = signed((low >> 1) & 0x3ff, 10)
    if (i + 1 >= out.length) return
    const high = view.getUint16(at + 2, true)
    out[i + 1] = signed((high >> 1) & 0x3ff, 10)
    if (i + 2 < out.length) out[i + 2] = signed((low >> 11) | ((high >> 11) << 5), 10)
  }
}

/** Three 10-bit samples in the low 30 bits of a 32-bit word. */
function unpack311(view: DataView, out: Int32Array): void {
  for (let i = 0, at = 0; i < out.length; i += 3, at += 4) {
    let word = view.getUint16(at, true)
    if (i + 1 < out.length) word |= view.getUint8(at + 2) << 16
    if (i + 2 < out.length) word |= view.getUint8(at + 3) << 24
    for (let k = 0; k < 3 && i + k < out.length; k++) out[i + k] = signed((word >> (10 * k)) & 0x3ff, 10)
  }
}

function signed(value: number, bits: number): number {
  return (value << (32 - bits)) >> (32 - bits)
}
