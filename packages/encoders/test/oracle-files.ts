import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const packageRoot = resolve(import.meta.dirname, '..')
const shared = process.env['QOQ_SHARED'] ?? resolve(packageRoot, '../../../shared')

/** Where the full oracles lie, and whether they are on this machine. */
export const oracles: { readonly present: boolean; readonly why: string } = {
  present: existsSync(join(shared, 'oracles')),
  why: existsSync(join(shared, 'oracles')) ? '' : ' (skipped: no oracles at QOQ_SHARED)',
}

/** Path of a file of the full oracles. */
export function oraclePath(name: string): string {
  return join(shared, 'oracles', name)
}

/** Path of a small oracle kept in this package. */
export function fixturePath(name: string): string {
  return join(packageRoot, 'fixtures', name)
}

/** A tensor of a safetensors file. */
interface StoredTensor<Data = Float32Array> {
  readonly shape: readonly number[]
  readonly data: Data
}

/** A lazy view of a safetensors file: enough for oracles that we trust. */
export interface OracleFile {
  readonly names: readonly string[]
  f32(name: string): StoredTensor
  u8(name: string): StoredTensor<Uint8Array>
  i32(name: string): StoredTensor<Int32Array>
  i16(name: string): StoredTensor<Int16Array>
}

export function readSafetensors(path: string): OracleFile {
  const file = readFileSync(path)
  const headerLength = Number(file.readBigUInt64LE(0))
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >
  const reader = <Data>(dtype: string, view: (bytes: ArrayBuffer) => Data) => {
    return (name: string): StoredTensor<Data> => {
      const entry = header[name]
      if (entry?.dtype !== dtype) throw new Error(`${path} has no ${dtype} tensor ${name}`)
      const [start, end] = entry.data_offsets
      const bytes = Uint8Array.from(file.subarray(8 + headerLength + start, 8 + headerLength + end)) // aligned copy
      return { shape: entry.shape, data: view(bytes.buffer) }
    }
  }
  return {
    names: Object.keys(header).filter(name => name !== '__metadata__'),
    f32: reader('F32', bytes => new Float32Array(bytes)),
    u8: reader('U8', bytes => new Uint8Array(bytes)),
    i32: reader('I32', bytes => new Int32Array(bytes)),
    i16: reader('I16', bytes => new Int16Array(bytes)),
  }
}

/** Reads a JSON oracle; the caller writes the type of what it trusts to be there. */
export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** Largest absolute difference of two arrays of equal length. */
export function maxAbsDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity
  let largest = 0
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!)
    if (!(difference <= largest)) largest = difference
  }
  return largest
}
