import { inflateSync } from 'node:zlib'
import { wfdbErrors } from './errors.ts'
import { checkShape, elementReaders, transpose, type MatDtype, type MatMatrix } from './mat-matrix.ts'

const matrixType = 14
const compressedType = 15
const storageTypes: Readonly<Record<number, MatDtype>> = {
  1: 'int8',
  2: 'uint8',
  3: 'int16',
  4: 'uint16',
  5: 'int32',
  6: 'uint32',
  7: 'float32',
  9: 'float64',
}
/** MATLAB class (mxINT16_CLASS …) to element type. */
const classDtypes: Readonly<Record<number, MatDtype>> = {
  6: 'float64',
  7: 'float32',
  8: 'int8',
  9: 'uint8',
  10: 'int16',
  11: 'uint16',
  12: 'int32',
  13: 'uint32',
}
const structClass = 2
/** The variables of a file may inflate to 256 MiB together; the largest CPSC record takes 7 MiB. */
const maxInflatedBytes = 2 ** 28
const maxDepth = 4

interface Element {
  readonly type: number
  readonly start: number
  readonly bytes: number
  /** Where the next element starts. */
  readonly end: number
}

/** Reads the largest numeric matrix of a level 5 file, looking into compressed variables and structs. */
export function readMat5(bytes: Uint8Array): MatMatrix {
  try {
    return largestMatrix(bytes)
  } catch (cause) {
    if (cause instanceof RangeError) throw overrun() // a view was read past its end
    throw cause
  }
}

function largestMatrix(bytes: Uint8Array): MatMatrix {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isLittleEndian = view.getUint8(126) === 0x49
  const found: MatMatrix[] = []
  let budget = maxInflatedBytes
  for (let at = 128; at + 8 <= bytes.length;) {
    const element = readElement(view, at, isLittleEndian)
    if (element.type === compressedType) {
      const inner = inflate(bytes.subarray(element.start, element.start + element.bytes), budget)
      budget -= inner.length
      const innerView = new DataView(inner.buffer, inner.byteOffset, inner.byteLength)
      collect(innerView, readElement(innerView, 0, isLittleEndian), { isLittleEndian, found, depth: 0 })
      at = element.start + element.bytes // compressed variables are not padded
    } else {
      collect(view, element, { isLittleEndian, found, depth: 0 })
      at = element.end
    }
  }
  const [largest] = found
  if (!largest) throw wfdbErrors.BAD_MAT({ problem: 'it holds no numeric matrix' })
  return largest
}

function inflate(bytes: Uint8Array, maxOutputLength: number): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: Math.max(1, maxOutputLength) })
  } catch (cause) {
    throw wfdbErrors.BAD_MAT({ problem: 'a compressed variable does not inflate' }, { cause })
  }
}

function readElement(view: DataView, at: number, le: boolean): Element {
  if (at + 8 > view.byteLength) throw overrun()
  const first = view.getUint32(at, le)
  const smallBytes = first >>> 16
  if (smallBytes > 4) throw overrun()
  const [type, bytes, start] =
    smallBytes > 0 ? [first & 0xffff, smallBytes, at + 4] : [first, view.getUint32(at + 4, le), at + 8]
  if (start + bytes > view.byteLength) throw overrun()
  return { type, start, bytes, end: smallBytes > 0 ? at + 8 : start + Math.ceil(bytes / 8) * 8 }
}

function overrun(): Error {
  return wfdbErrors.BAD_MAT({ problem: 'an element runs past the end of its container' })
}

interface Search {
  readonly isLittleEndian: boolean
  readonly found: MatMatrix[]
  readonly depth: number
}

function collect(view: DataView, element: Element, search: Search): void {
  if (element.type !== matrixType || element.bytes === 0 || search.depth > maxDepth) return
  const { isLittleEndian } = search
  const flags = readElement(view, element.start, isLittleEndian)
  const dimensions = readElement(view, flags.end, isLittleEndian)
  const nameElement = readElement(view, dimensions.end, isLittleEndian)
  const matlabClass = view.getUint32(flags.start, isLittleEndian) & 0xff
  if (matlabClass === structClass) return collectFields(view, nameElement.end, element.start + element.bytes, search)
  const dtype = classDtypes[matlabClass]
  if (dtype === undefined) return
  const data = readElement(view, nameElement.end, isLittleEndian)
  const stored = storageTypes[data.type]
  const rows = view.getUint32(dimensions.start, isLittleEndian)
  const columns = view.getUint32(dimensions.start + 4, isLittleEndian)
  if (stored === undefined || dimensions.bytes !== 8) return
  checkShape(rows, columns)
  if (rows * columns * elementReaders[stored].width !== data.bytes)
    throw wfdbErrors.BAD_MAT({ problem: `a ${rows} x ${columns} matrix has ${data.bytes} bytes` })
  const name = Array.from({ length: nameElement.bytes }, (_, i) =>
    String.fromCharCode(view.getUint8(nameElement.start + i)),
  ).join('')
  const values = transpose({ view, start: data.start, rows, columns, dtype: stored, isLittleEndian })
  // Only the largest is kept: a file may hold many.
  if (values.length > (search.found[0]?.values.length ?? 0))
    search.found[0] = { level: 5, name, shape: [rows, columns], dtype, values }
}

function collectFields(view: DataView, start: number, end: number, search: Search): void {
  const nameLength = readElement(view, start, search.isLittleEndian)
  const names = readElement(view, nameLength.end, search.isLittleEndian)
  for (let at = names.end; at + 8 <= end;) {
    const field = readElement(view, at, search.isLittleEndian)
    collect(view, field, { ...search, depth: search.depth + 1 })
    at = field.end
  }
}
