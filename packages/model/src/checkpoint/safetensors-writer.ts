import { open, type FileHandle } from 'node:fs/promises'
import { float32ToBfloat16, float32ToFloat16 } from '@qoq-med/tensor'
import { modelErrors } from '../errors.ts'
import { dtypeBytes, type SafetensorsDtype } from './safetensors-header.ts'

/** Elements converted at a time, so that writing bfloat16 needs no second copy of the weights. */
const chunkElements = 1 << 21

/** Values of a tensor to write. */
export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array

/** A tensor to write. Float32 data may be stored as F32, F16 or BF16 (rounded to even). */
export interface TensorToWrite {
  readonly name: string
  readonly shape: readonly number[]
  /** A function is asked when the tensor's turn comes, so that not all values need be in memory; they are floats. */
  readonly data: TensorData | (() => Promise<Float32Array>)
  /** Default: the array's own type. */
  readonly dtype?: SafetensorsDtype
}

/**
 * Writes a safetensors file as the reference library lays it out (larger element types first, then by name), so that
 * equal tensors give equal bytes.
 *
 * @param metadata free-form notes; transformers expects `{ format: 'pt' }`
 * @throws MODEL_VALUE_RANGE when a finite value would become infinite in its half-precision type
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Promise<void> {
  const ordered = tensors
    .map(tensor => ({ ...tensor, dtype: tensor.dtype ?? ownDtype(tensor.data) }))
    .toSorted(inFileOrder)
  const handle = await open(path, 'w')
  try {
    await handle.write(headerBytes(ordered, metadata))
    for (const tensor of ordered) await writeTensor(handle, tensor)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

type Ordered = Required<TensorToWrite>

function inFileOrder(a: Ordered, b: Ordered): number {
  return dtypeRank(b.dtype) - dtypeRank(a.dtype) || (a.name < b.name ? -1 : 1)
}

/** The reference sorts by its enumeration of types, which grows with their size. */
function dtypeRank(dtype: SafetensorsDtype): number {
  return [
    'BOOL',
    'U8',
    'I8',
    'F8_E5M2',
    'F8_E4M3',
    'I16',
    'U16',
    'F16',
    'BF16',
    'I32',
    'U32',
    'F32',
    'F64',
    'I64',
    'U64',
  ].indexOf(dtype)
}

function headerBytes(tensors: readonly Ordered[], metadata: Readonly<Record<string, string>>): Uint8Array {
  let next = 0
  const entries = tensors.map(({ name, dtype, shape }) => {
    const begin = next
    next += shape.reduce((size, length) => size * length, dtypeBytes[dtype])
    return [name, { dtype, shape, data_offsets: [begin, next] }] as const
  })
  const notes = Object.keys(metadata).length > 0 ? [['__metadata__', metadata] as const] : []
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries<unknown>([...notes, ...entries])))
  const padded = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + padded).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true)
  bytes.set(json, 8)
  return bytes
}

async function writeTensor(handle: FileHandle, { name, data: given, dtype }: Ordered): Promise<void> {
  const data = typeof given === 'function' ? await given() : given
  const narrow =
    data instanceof Float32Array ? { BF16: float32ToBfloat16, F16: float32ToFloat16 }[dtype as string] : undefined
  if (narrow === undefined) return writeAll(handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  for (let start = 0; start < data.length; start += chunkElements) {
    const part = (data as Float32Array).subarray(start, start + chunkElements) // `narrow` is set for float32 only
    const bits = narrowed(part, narrow)
    requireHeld(name, dtype, part, bits)
    await writeAll(handle, new Uint8Array(bits.buffer))
  }
}

function narrowed(values: Float32Array, narrow: (value: number) => number): Uint16Array<ArrayBuffer> {
  const bits = new Uint16Array(values.length)
  for (let i = 0; i < values.length; i++) bits[i] = narrow(values[i]!)
  return bits
}

/** Bits of infinity of the half-precision types, without the sign. */
const infinities: Readonly<Record<string, number>> = { F16: 0x7c00, BF16: 0x7f80 }

/** A finite value that would become infinite is not written: the model would be broken without a word. */
function requireHeld(tensor: string, dtype: string, values: Float32Array, bits: Uint16Array): void {
  const infinity = infinities[dtype]
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i]! & 0x7fff) === infinity && Number.isFinite(values[i]))
      throw modelErrors.VALUE_RANGE({ tensor, value: values[i]!, dtype })
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += (await handle.write(bytes, done)).bytesWritten
}

function ownDtype(data: TensorToWrite['data']): SafetensorsDtype {
  if (data instanceof Float32Array || typeof data === 'function') return 'F32'
  if (data instanceof Int32Array) return 'I32'
  return data instanceof BigInt64Array ? 'I64' : 'U8'
}
