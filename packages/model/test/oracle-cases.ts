import { openSafetensors } from '../src/checkpoint/safetensors-reader.ts'
import { oracleFile } from './oracle-folder.ts'

/** Arrays of a reference file by name; asking for one that is not there throws. */
export interface OracleCases {
  has(name: string): boolean
  shape(name: string): readonly number[]
  int32(name: string): Int32Array
  float32(name: string): Float32Array
  bytes(name: string): Uint8Array
}

/** Reads a reference file below ../shared/oracles, or by a whole path. */
export async function readCases(path: string): Promise<OracleCases> {
  const file = await openSafetensors(path.startsWith('/') ? path : oracleFile(path))
  const shapes = new Map<string, readonly number[]>()
  const values = new Map<string, Int32Array | Float32Array | Uint8Array>()
  for (const entry of file.entries) {
    shapes.set(entry.name, entry.shape)
    if (entry.dtype === 'I32' || entry.dtype === 'I64') values.set(entry.name, await file.readInt32(entry))
    else if (entry.dtype === 'F32') values.set(entry.name, await file.readFloat32(entry))
    else values.set(entry.name, await file.readBytes(entry))
  }
  await file.close()
  const found = <Value>(map: ReadonlyMap<string, Value>, name: string): Value => {
    const value = map.get(name)
    if (value === undefined) throw new Error(`${path} has no ${name}`)
    return value
  }
  return {
    has: name => shapes.has(name),
    shape: name => found(shapes, name),
    int32: name => found(values, name) as Int32Array, // the caller knows the type of the array
    float32: name => found(values, name) as Float32Array, // the same
    bytes: name => found(values, name) as Uint8Array, // the same
  }
}

/** Largest absolute difference of two arrays of one length. */
export function largestDifference(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) throw new Error(`${got.length} values, wanted ${want.length}`)
  let worst = 0
  for (let i = 0; i < want.length; i++) worst = Math.max(worst, Math.abs(got[i]! - want[i]!))
  return worst
}
