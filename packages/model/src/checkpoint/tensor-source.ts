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
  close(): Promise<void>
}
