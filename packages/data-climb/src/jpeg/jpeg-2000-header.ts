/** What the SIZ segment of a JPEG 2000 codestream says (T.800 A.5.1). */
export interface Jpeg2000Header {
  readonly width: number
  readonly height: number
  readonly components: number
  readonly precision: number
  readonly isSigned: boolean
}

/** A codestream inside JP2 boxes starts within this many bytes. */
const maxBoxBytes = 65_536
const sizBytes = 43

/** Reads the header of a JPEG 2000 codestream, bare or inside JP2 boxes; undefined when there is none. */
export function readJpeg2000Header(bytes: Uint8Array): Jpeg2000Header | undefined {
  const at = codestreamStart(bytes)
  if (at === undefined || at + sizBytes > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const word = (from: number) => view.getUint32(at + from)
  return {
    width: word(8) - word(16),
    height: word(12) - word(20),
    components: view.getUint16(at + 40),
    precision: (view.getUint8(at + 42) & 0x7f) + 1,
    isSigned: view.getUint8(at + 42) >= 0x80,
  }
}

/** A copy of a codestream whose components claim to be unsigned: they decode to as much more as half their range. */
export function withoutSign(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  const at = codestreamStart(bytes) ?? bytes.length
  const components = readJpeg2000Header(bytes)?.components ?? 0
  for (let i = 0; i < components; i++) copy[at + 42 + 3 * i]! &= 0x7f // beyond the end nothing is written
  return copy
}

/** Position of the start-of-codestream marker that a SIZ marker follows. */
function codestreamStart(bytes: Uint8Array): number | undefined {
  const end = Math.min(bytes.length - 4, maxBoxBytes)
  for (let at = 0; at <= end; at++)
    if (bytes[at] === 0xff && bytes[at + 1] === 0x4f && bytes[at + 2] === 0xff && bytes[at + 3] === 0x51) return at
  return undefined
}
