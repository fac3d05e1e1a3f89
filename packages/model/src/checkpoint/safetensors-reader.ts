import { open, type FileHandle } from 'node:fs/promises'
import { modelErrors } from '../errors.ts'
import { fillRange, readRange } from './file-range.ts'
import { widenBfloat16, widenFloat16 } from '@qoq-med/tensor'
import { headerLength, lengthFieldBytes, parseSafetensorsHeader, type SafetensorsHeader } from './safetensors-header.ts'
import type { TensorEntry } from './safetensors-header.ts'

/** Bytes read at a time while a tensor is converted, so that a large checkpoint is never in memory twice. */
const chunkBytes = 1 << 22

/** An open safetensors file; tensors are read one at a time. */
export interface SafetensorsFile extends SafetensorsHeader {
  readonly path: string
  /** Reads a floating-point tensor as float32, into `target` [size] if given. @throws MODEL_DTYPE_UNSUPPORTED */
  readFloat32(entry: TensorEntry, target?: Float32Array): Promise<Float32Array>
  /** Reads elements of a floating-point tensor as float32, from element `start` on. @throws MODEL_DTYPE_UNSUPPORTED */
  readPart(entry: TensorEntry, start: number, target: Float32Array): Promise<void>
  /** Reads an integer tensor as int32. @throws MODEL_DTYPE_UNSUPPORTED, or MODEL_SAFETENSORS_INVALID when a value does not fit */
  readInt32(entry: TensorEntry): Promise<Int32Array>
  /** Reads a tensor's bytes as they are stored. */
  readBytes(entry: TensorEntry): Promise<Uint8Array>
  close(): Promise<void>
}

/**
 * Opens a safetensors file and checks its header against the file's size; no tensor is read yet.
 *
 * @throws MODEL_SAFETENSORS_INVALID
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const prefix = await readRange(handle, 0, Math.min(size, lengthFieldBytes))
    const length = headerLength(prefix, path, size)
    const header = parseSafetensorsHeader(await readRange(handle, lengthFieldBytes, length), path, size)
    return {
      ...header,
      path,
      readFloat32: (entry, target) => readFloat32(handle, path, entry, target),
      readPart: async (entry, start, target) => {
        await readPart(handle, path, entry, { start, target })
      },
      readInt32: entry => readInt32(handle, path, entry),
      readBytes: entry => readRange(handle, entry.startByte, entry.lengthBytes),
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function readFloat32(
  handle: FileHandle,
  file: string,
  entry: TensorEntry,
  target: Float32Array = new Float32Array(sizeOfShape(entry.shape)),
): Promise<Float32Array> {
  return readPart(handle, file, entry, { start: 0, target })
}

/** Fills `target` from element `first` of a tensor on. */
async function readPart(
  handle: FileHandle,
  file: string,
  entry: TensorEntry,
  { start: first, target }: { readonly start: number; readonly target: Float32Array },
): Promise<Float32Array> {
  if (entry.dtype === 'F32') {
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength)
    await fillRange(handle, bytes, entry.startByte + 4 * first)
    return target
  }
  const widen = { BF16: widenBfloat16, F16: widenFloat16 }[entry.dtype as string] // other types are not keys
  if (widen === undefined) {
    const { name: tensor, dtype } = entry
    throw modelErrors.DTYPE_UNSUPPORTED({ file, tensor, dtype, wanted: 'F32, F16 or BF16' })
  }
  const chunk = new Uint16Array(Math.min(chunkBytes / 2, target.length))
  for (let start = 0; start < target.length; start += chunk.length) {
    const part = chunk.subarray(0, Math.min(chunk.length, target.length - start))
    await fillRange(handle, new Uint8Array(part.buffer, 0, part.byteLength), entry.startByte + (first + start) * 2)
    widen(part, target.subarray(start, start + part.length))
  }
  return target
}

async function readInt32(handle: FileHandle, file: string, entry: TensorEntry): Promise<Int32Array> {
  const bytes = await readRange(handle, entry.startByte, entry.lengthBytes)
  switch (entry.dtype) {
    case 'I32':
      return new Int32Array(bytes.buffer)
    case 'U8':
    case 'BOOL':
      return Int32Array.from(bytes)
    case 'I64':
      return Int32Array.from(new BigInt64Array(bytes.buffer), value => {
        if (value === BigInt.asIntN(32, value)) return Number(value)
        const problem = `tensor ${entry.name} holds ${value}, which does not fit 32 bits`
        throw modelErrors.SAFETENSORS_INVALID({ file, problem })
      })
    default: {
      const { name: tensor, dtype } = entry
      throw modelErrors.DTYPE_UNSUPPORTED({ file, tensor, dtype, wanted: 'I32, I64, U8 or BOOL' })
    }
  }
}

function sizeOfShape(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1)
}
