import { dataErrors } from '../errors.ts'

const format = 'Philips Sierra XML'
const headerBytes = 8
/** A lead has two bytes a sample; writers add some, and nobody four times as many. */
const maxSpare = 8
const minSpare = 65_536
const codeBits = 10
/** Codes of a dictionary of ten bits; the two last are none. */
const maxCode = 2 ** codeBits - 2

/**
 * Decodes the XLI compression of Philips Sierra files: per lead a header (bytes of the chunk, two unused bytes, a first
 * value), then LZW codes of ten bits, whose bytes are second differences, all high bytes before all low ones.
 *
 * @param samples samples that a lead has; what is decoded beyond them is left out
 * @throws DATA_ECG_INVALID
 */
export function decodeXli(bytes: Uint8Array, samples: number): Int32Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const leads: Int32Array[] = []
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < headerBytes) throw broken(leads.length)
    const size = view.getInt32(at, true)
    const first = view.getInt16(at + 6, true)
    const start = at + headerBytes
    if (size <= 0 || size > bytes.length - start) throw broken(leads.length)
    const lead = leads.length
    const unpacked = unpackLzw(bytes.subarray(start, start + size), { lead, maxBytes: samples * maxSpare + minSpare })
    leads.push(leadOf(unpacked, { first, samples, lead }))
    at = start + size
  }
  return leads
}

function broken(lead: number): Error {
  return dataErrors.ECG_INVALID({ format, problem: `the compressed lead ${lead + 1} is damaged` })
}

/** Undoes the second differences: x[i] = 2 x[i-1] - x[i-2] - (difference of the sample before, 64 less). */
function leadOf(
  bytes: Uint8Array,
  { first, samples, lead }: { readonly first: number; readonly samples: number; readonly lead: number },
): Int32Array {
  const count = Math.ceil(bytes.length / 2)
  if (count < Math.max(2, samples)) throw broken(lead)
  const differences = Int16Array.from({ length: count }, (_, i) => (bytes[i]! << 8) | (bytes[count + i] ?? 0)) // high bytes first
  const values = new Int32Array(samples)
  let [x, y, last] = [differences[0]!, differences[1]!, first] // two at least
  values[0] = x
  if (samples > 1) values[1] = y
  for (let i = 2; i < samples; i++) {
    const z = ((2 * y - x - last) << 16) >> 16 // samples have 16 bits
    last = differences[i]! - 64 // as many as samples
    values[i] = z
    x = y
    y = z
  }
  return values
}

/** A dictionary entry is an entry and one more byte; entries are written out by walking back. */
function unpackLzw(
  packed: Uint8Array,
  { lead, maxBytes }: { readonly lead: number; readonly maxBytes: number },
): Uint8Array {
  const before = new Int16Array(maxCode + 1).fill(-1)
  const lengths = new Uint32Array(maxCode + 1).fill(1, 0, 256)
  const lastByte = Uint8Array.from({ length: maxCode + 1 }, (_, code) => code & 0xff)
  let out = new Uint8Array(Math.min(maxBytes, packed.length * 4))
  let [nextCode, previous, filled] = [256, -1, 0]
  for (const code of codesOf(packed)) {
    if (code > maxCode) break
    const isNew = code >= nextCode
    if (isNew && (previous < 0 || code !== nextCode)) throw broken(lead)
    const firstByte = firstOf(isNew ? previous : code, before)
    if (previous >= 0 && nextCode <= maxCode) {
      before[nextCode] = previous
      lengths[nextCode] = lengths[previous]! + 1
      lastByte[nextCode] = firstByte
      nextCode++
    }
    const end = filled + lengths[code]!
    if (end > maxBytes) throw broken(lead)
    if (end > out.length) out = grown(out, Math.min(maxBytes, end * 2))
    for (let at = code, to = end - 1; to >= filled; at = before[at]!, to--) out[to] = lastByte[at]!
    filled = end
    previous = code
  }
  return out.subarray(0, filled)
}

function firstOf(code: number, before: Int16Array): number {
  let at = code
  while (before[at]! >= 0) at = before[at]!
  return at
}

function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length)
  larger.set(bytes)
  return larger
}

/** Codes of ten bits, the first bit of a byte first; bits that fill no code are left out. */
function* codesOf(packed: Uint8Array): Generator<number> {
  let [bits, count] = [0, 0]
  for (const byte of packed) {
    bits = (bits << 8) | byte
    count += 8
    if (count < codeBits) continue
    count -= codeBits
    yield bits >> count
    bits &= (1 << count) - 1
  }
}
