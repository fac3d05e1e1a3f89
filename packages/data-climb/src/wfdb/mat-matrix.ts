import { wfdbErrors } from './errors.ts'

/** Values of one matrix: a day of twelve leads at 500 Hz is 5 × 10^8, and does not come as a MATLAB file of one matrix. */
const maxValues = 2 ** 26

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
