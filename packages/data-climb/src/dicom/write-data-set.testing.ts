import { deflateRawSync } from 'node:zlib'

/** One element to write: its tag as eight hexadecimal digits, its value representation, its value. */
export type ElementToWrite = readonly [
  tag: string,
  vr: string,
  value: string | number | readonly number[] | Uint8Array | readonly (readonly ElementToWrite[])[],
]

/** How elements are written. */
export interface WrittenEncoding {
  readonly isExplicit?: boolean
  readonly isLittleEndian?: boolean
}

const longLengths = new Set(['OB', 'OW', 'OF', 'OD', 'OL', 'OV', 'SQ', 'UN', 'UT'])
const numberBytes: Readonly<Record<string, number>> = {
  US: 2,
  SS: 2,
  OW: 2,
  UL: 4,
  SL: 4,
  FL: 4,
  OF: 4,
  OL: 4,
  FD: 8,
  OV: 8,
}

/** Writes elements in ascending order of their tags. */
export function writeDataSet(elements: readonly ElementToWrite[], encoding: WrittenEncoding = {}): Buffer {
  const sorted = elements.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Buffer.concat(sorted.map(element => writeElement(element, encoding)))
}

function writeElement([tag, vr, value]: ElementToWrite, encoding: WrittenEncoding): Buffer {
  const { isExplicit = true, isLittleEndian = true } = encoding
  const body = bodyOf(vr, value, encoding)
  const head = Buffer.alloc(isExplicit && longLengths.has(vr) ? 12 : 8)
  const word = (number: number, at: number) =>
    isLittleEndian ? head.writeUInt16LE(number, at) : head.writeUInt16BE(number, at)
  const long = (number: number, at: number) =>
    isLittleEndian ? head.writeUInt32LE(number, at) : head.writeUInt32BE(number, at)
  word(Number.parseInt(tag.slice(0, 4), 16), 0)
  word(Number.parseInt(tag.slice(4), 16), 2)
  if (!isExplicit) long(body.length, 4)
  else {
    head.write(vr, 4, 'latin1')
    if (longLengths.has(vr)) long(body.length, 8)
    else word(body.length, 6)
  }
  return Buffer.concat([head, body])
}

function bodyOf(vr: string, value: ElementToWrite[2], encoding: WrittenEncoding): Buffer {
  if (value instanceof Uint8Array) return even(Buffer.from(value), 0)
  if (typeof value === 'string') return even(Buffer.from(value, 'latin1'), vr === 'UI' ? 0 : 0x20)
  if (vr === 'SQ')
    return Buffer.concat((value as readonly (readonly ElementToWrite[])[]).map(item => writeItem(item, encoding))) // by its VR
  const numbers = typeof value === 'number' ? [value] : (value as readonly number[]) // by its VR
  return even(numbersOf(vr, numbers, encoding), 0)
}

function writeItem(elements: readonly ElementToWrite[], encoding: WrittenEncoding): Buffer {
  const body = writeDataSet(elements, encoding)
  const head = Buffer.alloc(8)
  if (encoding.isLittleEndian === false) {
    head.writeUInt32BE(0xfffee000, 0)
    head.writeUInt32BE(body.length, 4)
  } else {
    head.writeUInt32LE(0xe000fffe, 0)
    head.writeUInt32LE(body.length, 4)
  }
  return Buffer.concat([head, body])
}

function numbersOf(vr: string, numbers: readonly number[], { isLittleEndian = true }: WrittenEncoding): Buffer {
  const bytes = numberBytes[vr] ?? 1
  const body = Buffer.alloc(numbers.length * bytes)
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  for (const [i, number] of numbers.entries()) {
    const at = i * bytes
    if (vr === 'FL' || vr === 'OF') view.setFloat32(at, number, isLittleEndian)
    else if (vr === 'FD') view.setFloat64(at, number, isLittleEndian)
    else if (bytes === 8) view.setBigUint64(at, BigInt(number), isLittleEndian)
    else if (bytes === 4) view.setInt32(at, number, isLittleEndian)
    else if (bytes === 2) view.setInt16(at, number, isLittleEndian)
    else view.setUint8(at, number)
  }
  return body
}

function even(body: Buffer, padding: number): Buffer {
  return body.length % 2 === 0 ? body : Buffer.concat([body, Buffer.of(padding)])
}

/** UIDs of the transfer syntaxes that tests write. */
export const syntaxes = {
  implicitLittle: '1.2.840.10008.1.2',
  explicitLittle: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  explicitBig: '1.2.840.10008.1.2.2',
  rle: '1.2.840.10008.1.2.5',
  jpegBaseline: '1.2.840.10008.1.2.4.50',
} as const

/**
 * Writes a DICOM file with preamble and meta header.
 *
 * @param encoding how the elements are written, where it is not what the syntax says
 */
export function writeDicomFile(
  elements: readonly ElementToWrite[],
  {
    syntax = syntaxes.explicitLittle,
    encoding,
  }: { readonly syntax?: string; readonly encoding?: WrittenEncoding } = {},
): Buffer {
  const meta = writeDataSet([['00020010', 'UI', syntax]])
  const length = writeDataSet([['00020000', 'UL', meta.length]])
  const said = { isExplicit: syntax !== syntaxes.implicitLittle, isLittleEndian: syntax !== syntaxes.explicitBig }
  const body = writeDataSet(elements, encoding ?? said)
  const packed = syntax === syntaxes.deflated ? deflateRawSync(body) : body
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, meta, packed])
}

/** Pixels to write: a typed array says how many bits are allocated and whether they are signed. */
export interface PixelsToWrite {
  readonly rows: number
  readonly columns: number
  readonly pixels: Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array
  readonly samples?: number
  readonly photometric?: string
  readonly bitsStored?: number
  readonly highBit?: number
  readonly isPlanar?: boolean
}

/** The elements of an image: those of the pixels, then others, which replace them. */
export function imageElements(image: PixelsToWrite, others: readonly ElementToWrite[] = []): ElementToWrite[] {
  const { rows, columns, pixels, samples = 1, photometric = 'MONOCHROME2' } = image
  const bits = pixels.BYTES_PER_ELEMENT * 8
  const { bitsStored = bits, highBit = bitsStored - 1, isPlanar = false } = image
  const isSigned = pixels.constructor.name.startsWith('Int')
  const vr = bits === 8 ? 'OB' : bits === 16 ? 'OW' : 'OL'
  const own: readonly ElementToWrite[] = [
    ['00080016', 'UI', '1.2.840.10008.5.1.4.1.1.7'],
    ['00080018', 'UI', '2.25.1'],
    ['00080060', 'CS', 'OT'],
    ['00280002', 'US', samples],
    ['00280004', 'CS', photometric],
    ['00280006', 'US', isPlanar ? 1 : 0],
    ['00280010', 'US', rows],
    ['00280011', 'US', columns],
    ['00280100', 'US', bits],
    ['00280101', 'US', bitsStored],
    ['00280102', 'US', highBit],
    ['00280103', 'US', isSigned ? 1 : 0],
    ['7fe00010', vr, [...pixels]],
  ]
  const replaced = new Set(others.map(([tag]) => tag))
  return [...own.filter(([tag]) => !replaced.has(tag)), ...others]
}

/** Encapsulated pixel data: an offset table, then one fragment per frame. */
export function encapsulated(frames: readonly Uint8Array[], offsets: readonly number[] = []): Buffer {
  const table = Buffer.alloc(offsets.length * 4)
  for (const [i, offset] of offsets.entries()) table.writeUInt32LE(offset, i * 4)
  const end = Buffer.alloc(8)
  end.writeUInt32LE(0xe0ddfffe, 0)
  return Buffer.concat([fragment(table), ...frames.map(fragment), end])
}

/** A file of encapsulated frames: the pixel data have no length. */
export function writeEncapsulatedFile(
  elements: readonly ElementToWrite[],
  {
    syntax,
    frames,
    offsets,
  }: { readonly syntax: string; readonly frames: readonly Uint8Array[]; readonly offsets?: readonly number[] },
): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16LE(0x7fe0, 0)
  head.writeUInt16LE(0x0010, 2)
  head.write('OB', 4, 'latin1')
  head.writeUInt32LE(0xffffffff, 8)
  const others = elements.filter(([tag]) => tag !== '7fe00010')
  return Buffer.concat([writeDicomFile(others, { syntax }), head, encapsulated(frames, offsets)])
}

function fragment(body: Uint8Array): Buffer {
  const padded = body.length % 2 === 0 ? body : Buffer.concat([body, Buffer.of(0)])
  const head = Buffer.alloc(8)
  head.writeUInt32LE(0xe000fffe, 0)
  head.writeUInt32LE(padded.length, 4)
  return Buffer.concat([head, padded])
}
