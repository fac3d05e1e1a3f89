/** How the elements of a data set are written. */
export interface DataSetEncoding {
  readonly isExplicit: boolean
  readonly isLittleEndian: boolean
}

/** Value representations of PS3.5 6.2: what follows a tag in explicit encoding. */
const representations = new Set(
  'AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV'.split(' '),
)
const longRepresentations = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'])

/** Elements that are looked at to tell a data set from other bytes. */
const probedElements = 3
const undefinedLength = 0xffffffff

/** Tells from the first element how a data set is written, whatever its transfer syntax says. */
export function encodingAt(bytes: Uint8Array, start: number): DataSetEncoding {
  // Groups begin at 0008: the byte that is not zero comes first in little endian.
  const isLittleEndian = bytes[start] !== 0
  return { isLittleEndian, isExplicit: representations.has(textAt(bytes, start + 4)) }
}

/**
 * Tells whether bytes read like a data set without a preamble, as old archives write them: the first elements are of group
 * 0002 or 0008, ascend, and have lengths that fit.
 */
export function looksLikeDataSet(bytes: Uint8Array): boolean {
  const encoding = encodingAt(bytes, 0)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let [at, last] = [0, -1]
  for (let i = 0; i < probedElements; i++) {
    if (at + 12 > bytes.length) return i > 0 && at === bytes.length
    const le = encoding.isLittleEndian
    const group = view.getUint16(at, le)
    const tag = group * 65_536 + view.getUint16(at + 2, le)
    if (tag <= last || (i === 0 ? group !== 2 && group !== 8 : group > 0x7fe0)) return false
    const { length, head } = elementLength(view, at, encoding)
    if (length === undefinedLength) return i > 0
    at += head + length
    last = tag
    if (at > bytes.length) return false
  }
  return true
}

function elementLength(
  view: DataView,
  at: number,
  { isExplicit, isLittleEndian }: DataSetEncoding,
): { readonly length: number; readonly head: number } {
  if (!isExplicit) return { length: view.getUint32(at + 4, isLittleEndian), head: 8 }
  const vr = String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5))
  return longRepresentations.has(vr)
    ? { length: view.getUint32(at + 8, isLittleEndian), head: 12 }
    : { length: view.getUint16(at + 6, isLittleEndian), head: 8 }
}

function textAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0)
}
