import type { StoredCodes } from './gguf-codes.ts'

/** What a checkpoint says of a tensor before it is read. */
export interface StoredTensor {
  readonly shape: readonly number[]
  /** As the file names it: `F32`, `BF16`, `Q8_0`, … */
  readonly dtype: string
  /** Name of the file it lies in, where a checkpoint has several. */
  readonly file?: string
}

/** Named tensors of a checkpoint, whatever the file format; nothing is in memory until it is read. */
export interface TensorSource {
  /** The folder or file, for messages. */
  readonly source: string
  readonly tensors: ReadonlyMap<string, StoredTensor>
  /** Reads (and widens or dequantises) a tensor, into `target` [size] if given. */
  readFloat32(name: string, target?: Float32Array): Promise<Float32Array>
  /**
   * Reads (and widens or dequantises) some rows of a tensor, along its first axis, into `target` [rows * size of a row].
   * Absent where a format has to read a whole tensor anyway.
   */
  readRows?(name: string, start: number, target: Float32Array): Promise<void>
  /** Reads rows of a tensor as the codes that it is stored in (`codedTypes`), from row `start` on. */
  readCodes?(name: string, start: number, rows: number): Promise<StoredCodes>
  close(): Promise<void>
}

/** Two sources as one; names of the second count where both have them. */
export function bothSources(first: TensorSource, second: TensorSource): TensorSource {
  const ownerOf = (name: string): TensorSource => (second.tensors.has(name) ? second : first)
  return {
    source: first.source,
    tensors: new Map([...first.tensors, ...second.tensors]),
    readFloat32: (name, target) => ownerOf(name).readFloat32(name, target),
    readRows: async (name, start, target) => {
      await ownerOf(name).readRows!(name, start, target) // both come from GGUF files
    },
    readCodes: (name, start, rows) => ownerOf(name).readCodes!(name, start, rows), // both come from GGUF files
    close: async () => {
      await Promise.all([first.close(), second.close()])
    },
  }
}
