import { wfdbErrors } from './errors.ts'
import { checkShape, elementReaders, transpose, type MatMatrix } from './mat-matrix.ts'
import { readMat5 } from './mat5.ts'

const level4Dtypes = ['float64', 'float32', 'int32', 'int16', 'uint16', 'uint8'] as const
const headerBytes = 20
const maxNameBytes = 256

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
