type Samples = Int16Array | Int32Array

/** How a format is written. */
export interface Packer {
  /** Bits that hold a stored sample. */
  readonly bits: number
  /** What is stored of a signal, where it is not the samples themselves. */
  readonly stored?: (digital: Samples) => Samples
  /** Packs the interleaved samples of all signals, which are within the range of `bits`. */
  readonly pack: (samples: Int32Array) => Uint8Array
}

/** How each format is written; FLAC streams are read only. */
export const packers = {
  '8': { bits: 8, stored: differences, pack: bytewise(1, (view, at, sample) => view.setInt8(at, sample)) },
  '16': { bits: 16, pack: bytewise(2, (view, at, sample) => view.setInt16(at, sample, true)) },
  '24': {
    bits: 24,
    pack: bytewise(3, (view, at, sample) => {
      view.setUint16(at, sample & 0xffff, true)
      view.setInt8(at + 2, sample >> 16)
    }),
  },
  '32': { bits: 32, pack: bytewise(4, (view, at, sample) => view.setInt32(at, sample, true)) },
  '61': { bits: 16, pack: bytewise(2, (view, at, sample) => view.setInt16(at, sample, false)) },
  '80': { bits: 8, pack: bytewise(1, (view, at, sample) => view.setUint8(at, sample + 128)) },
  '160': { bits: 16, pack: bytewise(2, (view, at, sample) => view.setUint16(at, sample + 32_768, true)) },
  '212': { bits: 12, pack: pack212 },
  '310': { bits: 10, pack: pack310 },
  '311': { bits: 10, pack: pack311 },
} as const satisfies Readonly<Record<string, Packer>>

/** A storage format that is written. */
export type WritableFormat = keyof typeof packers

/** The first difference is zero, since the header holds the first sample. */
function differences(digital: Samples): Int32Array {
  return Int32Array.from(digital, (sample, i) => (i === 0 ? 0 : sample - digital[i - 1]!)) // i is at least 1
}

function bytewise(width: number, write: (view: DataView, at: number, sample: number) => void): Packer['pack'] {
  return samples => {
    const view = new DataView(new ArrayBuffer(samples.length * width))
    for (let i = 0; i < samples.length; i++) write(view, i * width, samples[i]!) // bounded by the loop
    return new Uint8Array(view.buffer)
  }
}

/** Two 12-bit samples in three bytes; an odd one at the end takes two. */
function pack212(samples: Int32Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(samples.length * 1.5))
  for (let i = 0, at = 0; i < samples.length; i += 2, at += 3) {
    const [first, second = 0] = samples.subarray(i, i + 2) as unknown as [number, number?] // one or two
    bytes[at] = first & 0xff
    bytes[at + 1] = ((first >> 8) & 0x0f) | ((second >> 4) & 0xf0)
    if (at + 2 < bytes.length) bytes[at + 2] = second & 0xff
  }
  return bytes
}

/** Three 10-bit samples in two words, from the second bit on; the third is spread over both words' tops. */
function pack310(samples: Int32Array): Uint8Array {
  const groups = Math.ceil(samples.length / 3)
  const view = new DataView(new ArrayBuffer(groups * 4))
  for (let group = 0; group < groups; group++) {
    const [a = 0, b = 0, c = 0] = samples.subarray(group * 3, group * 3 + 3)
    view.setUint16(group * 4, ((a & 0x3ff) << 1) | ((c & 0x1f) << 11), true)
    view.setUint16(group * 4 + 2, ((b & 0x3ff) << 1) | (((c >> 5) & 0x1f) << 11), true)
  }
  return new Uint8Array(view.buffer, 0, Math.floor(samples.length / 3) * 4 + [0, 2, 4][samples.length % 3]!) // three entries
}

/** Three 10-bit samples in the low 30 bits of a word; what is left over takes as many bytes as it needs. */
function pack311(samples: Int32Array): Uint8Array {
  const groups = Math.ceil(samples.length / 3)
  const view = new DataView(new ArrayBuffer(groups * 4))
  for (let group = 0; group < groups; group++) {
    const [a = 0, b = 0, c = 0] = samples.subarray(group * 3, group * 3 + 3)
    view.setUint32(group * 4, ((a & 0x3ff) | ((b & 0x3ff) << 10) | ((c & 0x3ff) << 20)) >>> 0, true)
  }
  return new Uint8Array(view.buffer, 0, Math.floor(samples.length / 3) * 4 + [0, 2, 3][samples.length % 3]!) // three entries
}
