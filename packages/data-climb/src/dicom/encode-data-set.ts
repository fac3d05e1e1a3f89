/** One element to write: its tag (0xGGGGEEEE), its value representation, its value; a sequence has data sets for items. */
export type DicomElement = readonly [
  tag: number,
  vr: string,
  value: string | number | Uint8Array | Float32Array | readonly (readonly DicomElement[])[],
]

/** Value representations whose length has four bytes (PS3.5 7.1.2). */
const longLengths = new Set(['OB', 'OW', 'OF', 'SQ', 'UC', 'UN', 'UR', 'UT'])
const itemTag = 0xfffee000

/** Writes elements in explicit little endian, in ascending order of their tags; texts are UTF-8. */
export function encodeDataSet(elements: readonly DicomElement[]): Buffer {
  return Buffer.concat(elements.toSorted(([a], [b]) => a - b).map(encodeElement))
}

const version1 = Uint8Array.of(0, 1)

/** Which object a file holds. */
export interface DicomFileMeta {
  readonly sopClassUid: string
  readonly sopInstanceUid: string
  /** Names the program that wrote it. */
  readonly implementationUid: string
}

const explicitLittleEndian = '1.2.840.10008.1.2.1'

/** Writes a DICOM file: preamble, meta information, data set in explicit little endian. */
export function encodeDicomFile(
  elements: readonly DicomElement[],
  { sopClassUid, sopInstanceUid, implementationUid }: DicomFileMeta,
): Uint8Array {
  const meta = encodeDataSet([
    [0x00020001, 'OB', version1],
    [0x00020002, 'UI', sopClassUid],
    [0x00020003, 'UI', sopInstanceUid],
    [0x00020010, 'UI', explicitLittleEndian],
    [0x00020012, 'UI', implementationUid],
  ])
  const metaLength = encodeElement([0x00020000, 'UL', meta.length])
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), metaLength, meta, encodeDataSet(elements)])
}

function encodeElement([tag, vr, value]: DicomElement): Buffer {
  const body = bodyOf(vr, value)
  const isLong = longLengths.has(vr)
  const head = Buffer.alloc(isLong ? 12 : 8)
  writeTag(head, tag)
  head.write(vr, 4, 'latin1')
  if (isLong) head.writeUInt32LE(body.length, 8)
  else head.writeUInt16LE(body.length, 6)
  return Buffer.concat([head, body])
}

function writeTag(head: Buffer, tag: number): void {
  head.writeUInt16LE(tag >>> 16, 0)
  head.writeUInt16LE(tag & 0xffff, 2)
}

/** Values have an even length: identifiers and bytes are padded with a zero, texts with a blank. */
function bodyOf(vr: string, value: DicomElement[2]): Buffer {
  if (typeof value === 'number') return numberBody(vr, value)
  if (value instanceof Float32Array)
    return Buffer.from(Uint8Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)))
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) return Buffer.concat(value.map(encodeItem))
  const body = typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value)
  return body.length % 2 === 0 ? body : Buffer.concat([body, Buffer.from(vr === 'UI' || vr === 'OB' ? '\0' : ' ')])
}

function numberBody(vr: string, value: number): Buffer {
  const body = Buffer.alloc(vr === 'US' ? 2 : 4)
  if (vr === 'US') body.writeUInt16LE(value)
  else if (vr === 'FL') body.writeFloatLE(value)
  else body.writeUInt32LE(value)
  return body
}

function encodeItem(elements: readonly DicomElement[]): Buffer {
  const body = encodeDataSet(elements)
  const head = Buffer.alloc(8)
  writeTag(head, itemTag)
  head.writeUInt32LE(body.length, 4)
  return Buffer.concat([head, body])
}
