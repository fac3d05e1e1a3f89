import { wfdbErrors } from './errors.ts'
import { readMat5 } from './mat5.ts'

/** A numeric matrix of a MATLAB file. */
export interface MatMatrix {
  readonly level: 4 | 5
  readonly name: string
  /** Rows, columns. */
  readonly shape: readonly [number, number]
  readonly dtype: MatDtype
  /** [rows * columns] values, row after row. */
  readonly values: Float64Array
}

/** Element type of a MATLAB matrix. */
export type MatDtype = keyof typeof elementReaders

/** How the elements of each type are read, and their width in bytes. */
export const elementReaders = {
  float64: { width: 8, get: (view: DataView, at: number, le: boolean): number => view.getFloat64(at, le) },
  float32: { width: 4, get: (view: DataView, at: number, le: boolean): number => view.getFloat32(at, le) },
  int32: { width: 4, get: (view: DataView, at: number, le: boolean): number => view.getInt32(at, le) },
  uint32: { width: 4, get: (view: DataView, at: number, le: boolean): number => view.getUint32(at, le) },
  int16: { width: 2, get: (view: DataView, at: number, le: boolean): number => view.getInt16(at, le) },
  uint16: { width: 2, get: (view: DataView, at: number, le: boolean): number => view.getUint16(at, le) },
  int8: { width: 1, get: (view: DataView, at: number): number => view.getInt8(at) },
  uint8: { width: 1, get: (view: DataView, at: number): number => view.getUint8(at) },
} as const

const level4Dtypes = ['float64', 'float32', 'int32', 'int16', 'uint16', 'uint8'] as const
const headerBytes = 20
const maxNameBytes = 256
/** Values of one matrix: a day of twelve leads at 500 Hz is 5 × 10^8, and does not come as a MATLAB file of one matrix. */
const maxValues = 2 ** 26

/**
 * Reads the first numeric matrix of a MATLAB file: level 4 (as the ECG Challenges write it), or level 5, where a
 * struct's largest numeric field is taken (the form of the original CPSC 2018 files).
 *
 * @throws WFDB_BAD_MAT when the file is neither, or lies about its sizes
 */
export function readMat(bytes: Uint8Array): MatMatrix {
  if (bytes.length >= 128 && String.fromCharCode(...bytes.subarray(0, 10)) === 'MATLAB 5.0') return readMat5(bytes)
  if (bytes.length < headerBytes) throw wfdbErrors.BAD_MAT({ problem: 'it is shorter than a level 4 header' })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isLittleEndian = view.getUint32(0, true) < 10_000
  const type = view.getUint32(0, isLittleEndian)
  const [rows, columns, isComplex, nameBytes] = [4, 8, 12, 16].map(at => view.getUint32(at, isLittleEndian)) as [
    number,
    number,
    number,
    number,
  ] // four fields from four offsets
  const dtype = level4Dtypes[Math.floor(type / 10) % 10]
  if (type > 4052 || dtype === undefined || type % 10 !== 0 || isComplex !== 0 || nameBytes > maxNameBytes)
    throw wfdbErrors.BAD_MAT({ problem: 'it is no real, full level 4 matrix' })
  checkShape(rows, columns)
  const start = headerBytes + nameBytes
  const need = start + rows * columns * elementReaders[dtype].width
  if (bytes.length < need)
    throw wfdbErrors.BAD_MAT({
      problem: `a ${rows} x ${columns} matrix needs ${need} bytes, the file has ${bytes.length}`,
    })
  const name = String.fromCharCode(...bytes.subarray(headerBytes, start)).replace(/\0.*$/, '')
  const values = transpose({ view, start, rows, columns, dtype, isLittleEndian })
  return { level: 4, name, shape: [rows, columns], dtype, values }
}

/**
 * Refuses a matrix without values, whose columns could be counted for ever, and one that is too large.
 *
 * @throws WFDB_BAD_MAT
 */
export function checkShape(rows: number, columns: number): void {
  if (rows * columns > 0 && rows * columns <= maxValues) return
  throw wfdbErrors.BAD_MAT({ problem: `a ${rows} x ${columns} matrix has no values, or more than ${maxValues}` })
}

/** Reads column-major elements into row-major order; the caller has checked that they are there. */
export function transpose(matrix: {
  readonly view: DataView
  readonly start: number
  readonly rows: number
  readonly columns: number
  readonly dtype: MatDtype
  readonly isLittleEndian: boolean
}): Float64Array {
  const { view, start, rows, columns, dtype, isLittleEndian } = matrix
  const { width, get } = elementReaders[dtype]
  const values = new Float64Array(rows * columns)
  for (let column = 0, at = start; column < columns; column++)
    for (let row = 0; row < rows; row++, at += width) values[row * columns + column] = get(view, at, isLittleEndian)
  return values
}
