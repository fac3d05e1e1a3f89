import type { Ops } from '@qoq-med/tensor'
import type { Layers } from './layers.ts'
import type { ParameterSpec } from './parameter-spec.ts'
import type { BatchRounding } from './size-ladder.ts'

/** An array with its shape, on its way into a graph. */
export type HostTensor =
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'int32'; readonly shape: readonly number[]; readonly data: Int32Array }

/** Prepared items that go through an encoder together. */
export interface EncoderBatch {
  /** Two batches with the same key have the same graph: only the contents of `inputs` differ. */
  readonly key: string
  /** What the graph is fed with, by name; declare graph inputs of these shapes, or make constants of them. */
  readonly inputs: Readonly<Record<string, HostTensor>>
  /** Rows of the result; with a bucket there may be more of them than tokens, the rest being padding. */
  readonly rows: number
  /**
   * Encodes the batch.
   *
   * @param inputs the value made for each entry of `inputs`
   * @returns [rows, hiddenSize] embeddings in the LLM's space: the tokens of the first item, of the second, …
   */
  forward<T>(ops: Ops<T>, layers: Layers<T>, inputs: (name: string) => T): T
}

/** What the model needs of a modality; `Input` is what a reader gives, `Prepared` what the graph is fed from. */
export interface Encoder<Input, Prepared> {
  /** Names, shapes and initial values of the parameters. */
  readonly parameters: readonly ParameterSpec[]
  /** Turns one item into plain arrays. Pure and without weights, so that it can run ahead in another thread. */
  preprocess(input: Input): Prepared
  /** Counts the positions that an item takes in the LLM's sequence. */
  tokens(prepared: Prepared): number
  /**
   * Puts items together.
   *
   * @param rounding how counts are padded; default: as the encoder was made
   */
  batch(items: readonly Prepared[], rounding?: BatchRounding): EncoderBatch
}

/**
 * Makes the inputs of a batch constants, where a graph serves one batch only, or values are dense.
 *
 * @example
 * const embeddings = batch.forward(ops, layers, constantInputs(ops, batch))
 */
export function constantInputs<T>(ops: Ops<T>, batch: EncoderBatch): (name: string) => T {
  return name => {
    const tensor = batch.inputs[name]! // forward asks for the names of inputs only
    return tensor.dtype === 'int32' ? ops.indices(tensor.data, tensor.shape) : ops.constant(tensor.data, tensor.shape)
  }
}
