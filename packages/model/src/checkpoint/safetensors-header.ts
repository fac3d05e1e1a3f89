import { modelErrors } from '../errors.ts'
import { jsonProblem } from './json-keys.ts'

/** Bytes per element of the element types that the safetensors format names. */
export const dtypeBytes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
} as const

/** An element type of the safetensors format. */
export type SafetensorsDtype = keyof typeof dtypeBytes

/** Where a tensor lies in its file. */
export interface TensorEntry {
  readonly name: string
  readonly dtype: SafetensorsDtype
  readonly shape: readonly number[]
  /** First byte, counted from the start of the file. */
  readonly startByte: number
  readonly lengthBytes: number
}

/** A checked header: its entries in the order of the data, and the file's free-form notes. */
export interface SafetensorsHeader {
  readonly entries: readonly TensorEntry[]
  readonly metadata: Readonly<Record<string, string>>
}

/** A file begins with the length of its header. */
export const lengthFieldBytes = 8
/** The format's own limit; no real header comes near it. */
const maxHeaderBytes = 100_000_000

/** Reads the header's length from the first 8 bytes, against the file's size and before the header is read. */
export function headerLength(prefix: Uint8Array, file: string, fileBytes: number): number {
  const fail = failure(file)
  if (prefix.length < lengthFieldBytes) throw fail(`it has ${fileBytes} bytes, too few for a header`)
  const length = new DataView(prefix.buffer, prefix.byteOffset, lengthFieldBytes).getBigUint64(0, true)
  if (length > BigInt(maxHeaderBytes)) throw fail(`its header claims ${length} bytes`)
  if (length > BigInt(fileBytes - lengthFieldBytes)) {
    throw fail(`its header claims ${length} bytes, but only ${fileBytes - lengthFieldBytes} follow`)
  }
  return Number(length)
}

/**
 * Parses and checks a header: known element types, sizes that match their shapes, and data that covers the file's
 * remaining bytes exactly, without a gap or an overlap.
 *
 * @param bytes the JSON after the length field
 * @param fileBytes size of the whole file
 * @throws MODEL_SAFETENSORS_INVALID
 */
export function parseSafetensorsHeader(bytes: Uint8Array, file: string, fileBytes: number): SafetensorsHeader {
  const fail = failure(file)
  const header = parseJson(bytes, fail)
  const dataStart = lengthFieldBytes + bytes.length
  const entries: TensorEntry[] = []
  let metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = checkedMetadata(value, fail)
    else entries.push(checkedEntry(name, value, dataStart, fail))
  }
  entries.sort((a, b) => a.startByte - b.startByte || a.lengthBytes - b.lengthBytes)
  checkCoverage(entries, dataStart, fileBytes, fail)
  return { entries, metadata }
}

type Fail = (problem: string) => Error

function failure(file: string): Fail {
  return problem => modelErrors.SAFETENSORS_INVALID({ file, problem })
}

function parseJson(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw fail('its header is not a JSON object')
  let text: string
  let header: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    header = JSON.parse(text)
  } catch {
    throw fail('its header is not valid JSON')
  }
  const problem = jsonProblem(text)
  if (problem !== undefined) throw fail(`its header ${problem}`)
  return header as Record<string, unknown> // it begins with '{' and parsed
}

function checkedMetadata(value: unknown, fail: Fail): Record<string, string> {
  if (!isObject(value) || Object.values(value).some(note => typeof note !== 'string')) {
    throw fail('its __metadata__ is not an object of strings')
  }
  return value as Record<string, string> // just checked
}

function checkedEntry(name: string, value: unknown, dataStart: number, fail: Fail): TensorEntry {
  if (!isObject(value)) throw fail(`the entry of ${name} is not an object`)
  const { dtype, shape, data_offsets: offsets } = value
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypeBytes, dtype)) {
    throw fail(`tensor ${name} has the unknown element type ${JSON.stringify(dtype)}`)
  }
  if (!isCounts(shape)) throw fail(`tensor ${name} has the invalid shape ${JSON.stringify(shape)}`)
  if (!isCounts(offsets) || offsets.length !== 2) throw fail(`tensor ${name} has invalid offsets`)
  const known = dtype as SafetensorsDtype // a key of the table
  const [begin, end] = offsets as [number, number] // two elements, just checked
  const lengthBytes = shape.reduce((size, length) => size * length, dtypeBytes[known])
  if (!Number.isSafeInteger(lengthBytes) || end - begin !== lengthBytes) {
    throw fail(`tensor ${name} has ${end - begin} bytes, but its shape needs ${lengthBytes}`)
  }
  return { name, dtype: known, shape, startByte: dataStart + begin, lengthBytes }
}

function checkCoverage(entries: readonly TensorEntry[], dataStart: number, fileBytes: number, fail: Fail): void {
  let next = dataStart
  for (const { name, startByte, lengthBytes } of entries) {
    if (startByte < next) throw fail(`tensor ${name} overlaps the one before it`)
    if (startByte > next) throw fail(`there is a gap of ${startByte - next} bytes before tensor ${name}`)
    next = startByte + lengthBytes
    if (next > fileBytes) throw fail(`tensor ${name} ends at byte ${next}, but the file has ${fileBytes}`)
  }
  if (next !== fileBytes) throw fail(`${fileBytes - next} bytes follow the last tensor`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(count => Number.isSafeInteger(count) && count >= 0)
}
