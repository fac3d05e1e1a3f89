import type { FileHandle } from 'node:fs/promises'
import { ByteReader } from './byte-reader.ts'
import { readRange } from './file-range.ts'
import { ggmlTypes, type GgmlType } from './gguf-types.ts'

/** A value of GGUF's metadata; numbers of 64 bits must be safe integers. */
export type GgufValue = number | string | boolean | readonly GgufValue[]

/** Where a tensor lies. */
export interface GgufTensor {
  readonly name: string
  readonly type: GgmlType
  /** Slowest axis first, as in PyTorch. */
  readonly shape: readonly number[]
  readonly startByte: number
  readonly lengthBytes: number
}

/** A checked header. */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: readonly GgufTensor[]
}

const magic = 0x46554747
/** A vocabulary of 150,000 tokens with its merges has under 10 MB. */
const maxHeaderBytes = 1 << 26
const maxTextBytes = 1 << 20
const maxDimensions = 4
const defaultAlignment = 32

/**
 * Reads and checks the header of a GGUF file (versions 2 and 3): counts against the bytes that are there, element types,
 * and data that lie in the file without overlaps.
 *
 * @param fail makes the error for what is wrong
 */
export async function readGgufHeader(
  handle: FileHandle,
  fileBytes: number,
  fail: (problem: string) => Error,
): Promise<GgufHeader> {
  const reader = new ByteReader(await readRange(handle, 0, Math.min(fileBytes, maxHeaderBytes)), fail)
  if (reader.left < 24 || reader.u32() !== magic) throw fail('it does not begin with GGUF')
  const version = reader.u32()
  if (version !== 2 && version !== 3) throw fail(`its version is ${version}; 2 and 3 are read`)
  const [tensorCount, valueCount] = [reader.u64(), reader.u64()]
  requireRoom(reader, tensorCount, 24, 'tensors', fail)
  requireRoom(reader, valueCount, 13, 'values', fail)
  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < valueCount; i++) {
    const key = text(reader, fail)
    if (metadata.has(key)) throw fail(`it has the value ${key} twice`)
    metadata.set(key, value(reader, reader.u32(), 0, fail))
  }
  const described = Array.from({ length: tensorCount }, () => describedTensor(reader, fail))
  const alignment = metadata.get('general.alignment') ?? defaultAlignment
  if (typeof alignment !== 'number' || !Number.isInteger(Math.log2(alignment)) || alignment > 65_536) {
    throw fail(`its alignment is ${String(alignment)}`)
  }
  const dataStart = Math.ceil(reader.at / alignment) * alignment
  const tensors = described.map(tensor => ({ ...tensor, startByte: dataStart + tensor.startByte }))
  checkTensors(tensors, fileBytes, fail)
  return { metadata, tensors }
}

type Fail = (problem: string) => Error

/** A count that needs more bytes than are left is a lie, found before anything is made for it. */
function requireRoom(reader: ByteReader, count: number, leastBytes: number, what: string, fail: Fail): void {
  if (count * leastBytes > reader.left) throw fail(`it claims ${count} ${what}, which ${reader.left} bytes cannot hold`)
}

function text(reader: ByteReader, fail: Fail): string {
  const length = reader.u64()
  if (length > maxTextBytes) throw fail(`it claims a text of ${length} bytes`)
  return reader.text(length)
}

const arrayType = 9
const stringType = 8

/** Readers of the scalar types with their sizes in bytes, by GGUF's numbers. */
const scalars: Readonly<Record<number, { readonly bytes: number; readonly read: (reader: ByteReader) => GgufValue }>> =
  {
    0: { bytes: 1, read: reader => reader.u8() },
    1: { bytes: 1, read: reader => reader.i8() },
    2: { bytes: 2, read: reader => reader.u16() },
    3: { bytes: 2, read: reader => reader.i16() },
    4: { bytes: 4, read: reader => reader.u32() },
    5: { bytes: 4, read: reader => reader.i32() },
    6: { bytes: 4, read: reader => reader.f32() },
    7: { bytes: 1, read: reader => reader.u8() !== 0 },
    10: { bytes: 8, read: reader => reader.u64() },
    11: { bytes: 8, read: reader => Number(reader.i64()) },
    12: { bytes: 8, read: reader => reader.f64() },
  }

function value(reader: ByteReader, type: number, depth: number, fail: Fail): GgufValue {
  if (type === stringType) return text(reader, fail)
  if (type === arrayType) {
    if (depth > 2) throw fail('its arrays are nested more than 3 deep')
    const element = reader.u32()
    const count = reader.u64()
    requireRoom(reader, count, scalars[element]?.bytes ?? 8, 'elements of an array', fail)
    return Array.from({ length: count }, () => value(reader, element, depth + 1, fail))
  }
  const scalar = scalars[type]
  if (scalar === undefined) throw fail(`it has a value of the unknown type ${type}`)
  return scalar.read(reader)
}

/** A tensor whose start is still counted from the beginning of the data. */
function describedTensor(reader: ByteReader, fail: Fail): GgufTensor {
  const name = text(reader, fail)
  const dimensions = reader.u32()
  if (dimensions > maxDimensions) throw fail(`tensor ${name} has ${dimensions} dimensions`)
  const shape = Array.from({ length: dimensions }, () => reader.u64()).toReversed()
  const typeNumber = reader.u32()
  const type = ggmlTypes[typeNumber]
  if (type === undefined) throw fail(`tensor ${name} has the element type ${typeNumber}, which is not read here`)
  const elements = shape.reduce((product, length) => product * length, 1)
  const row = shape.at(-1) ?? 1
  if (!Number.isSafeInteger(elements * type.blockBytes) || row % type.blockElements !== 0) {
    throw fail(`tensor ${name} has the shape [${shape.join(', ')}], which ${type.name} cannot store`)
  }
  return { name, type, shape, startByte: reader.u64(), lengthBytes: (elements / type.blockElements) * type.blockBytes }
}

function checkTensors(tensors: readonly GgufTensor[], fileBytes: number, fail: Fail): void {
  const names = new Set<string>()
  let [end, before] = [0, '']
  for (const { name, startByte, lengthBytes } of tensors.toSorted((a, b) => a.startByte - b.startByte)) {
    if (names.has(name)) throw fail(`it has the tensor ${name} twice`)
    names.add(name)
    if (startByte < end) throw fail(`the tensors ${before} and ${name} overlap`)
    end = startByte + lengthBytes
    before = name
    if (!(end <= fileBytes)) throw fail(`tensor ${name} ends at byte ${end}, but the file has ${fileBytes}`)
  }
}
