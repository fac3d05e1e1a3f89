import { basename, resolve } from 'node:path'
import { sizeOf } from '@qoq-med/tensor'
import { openTensorFile } from '../checkpoint/tensor-file.ts'
import { writeSafetensors } from '../checkpoint/safetensors-writer.ts'
import { writeFileAtomically } from '../checkpoint/write-folder.ts'
import { writableDtype, type WriteWeightsOptions } from '../checkpoint/write-weights.ts'
import { modelErrors } from '../errors.ts'
import { loadAdapter } from '../lora/adapter-folder.ts'
import { mergedWeight } from '../lora/merged-weights.ts'
import { isTensorFile } from './checkpoint-info.ts'
import { openModel, type OpenModel } from './open-model.ts'
import { writeModelFolder } from './save-model.ts'

/** How a checkpoint is converted. */
export interface ConvertOptions extends Pick<WriteWeightsOptions, 'dtype' | 'maxShardBytes'> {
  /** A folder with a PEFT adapter, which is merged into the model. */
  readonly adapter?: string
  /** Most pixels of a picture, written into the preprocessor's config. Default: as in the source. */
  readonly maxPixels?: number | undefined
  /** A model card in Markdown, written as README.md into a folder. */
  readonly card?: string | undefined
  /** Replaces what stands at the target. Default: that is an error. */
  readonly replace?: boolean
}

/** What was written. */
export interface ConvertReport {
  readonly target: string
  readonly tensors: number
  readonly parameters: number
}

/**
 * Writes a checkpoint in another format, all of it or nothing: a model folder or GGUF file becomes a model folder, a bare
 * PyTorch or safetensors file becomes a safetensors file. Weights go through memory one at a time. Element types stay as they
 * are (quantised ones become F32) unless `dtype` says otherwise; a value that the new type cannot hold is an error.
 *
 * @throws MODEL_CONVERT_TARGET, MODEL_OUTPUT_EXISTS, MODEL_VALUE_RANGE, and what opening the source throws
 */
export async function convertModel(
  source: string,
  target: string,
  options: ConvertOptions = {},
): Promise<ConvertReport> {
  if (resolve(source) === resolve(target)) throw modelErrors.CONVERT_TARGET({ source, target, wanted: 'another place' })
  return isTensorFile(source) ? convertFile(source, target, options) : convertFolder(source, target, options)
}

async function convertFolder(source: string, target: string, options: ConvertOptions): Promise<ConvertReport> {
  if (/\.(safetensors|gguf|pth|pt)$/i.test(target))
    throw modelErrors.CONVERT_TARGET({ source, target, wanted: 'a folder' })
  const opened = await openModel(source, { maxPixels: options.maxPixels })
  try {
    const { model } = opened
    const weights = options.adapter === undefined ? opened.readWeight : await merged(opened, options.adapter)
    const { adapter: _, maxPixels: __, ...rest } = options
    await writeModelFolder(target, model, weights, { mayReplace: options.replace ?? false, ...rest })
    return { target, tensors: model.parameters.length, parameters: count(model.parameters) }
  } finally {
    await opened.close()
  }
}

/** Weights with an adapter folded in, one at a time. */
async function merged(
  { model, readWeight }: OpenModel,
  folder: string,
): Promise<(name: string) => Promise<Float32Array>> {
  const { adapters, weights } = await loadAdapter(folder, model)
  return async name => {
    const base = await readWeight(name)
    return adapters.targets.has(name)
      ? mergedWeight(adapters, name, lookup => (lookup === name ? base : weights(lookup)))
      : base
  }
}

async function convertFile(source: string, target: string, options: ConvertOptions): Promise<ConvertReport> {
  const { dtype, replace = false } = options
  if (!target.endsWith('.safetensors'))
    throw modelErrors.CONVERT_TARGET({ source, target, wanted: 'a file named *.safetensors' })
  const file = await openTensorFile(source)
  try {
    const tensors = Array.from(file.tensors, ([name, stored]) => ({
      name,
      shape: stored.shape,
      data: async () => file.readFloat32(name),
      dtype: dtype ?? writableDtype(stored.dtype),
    }))
    await writeFileAtomically(target, { mayReplace: replace }, partial => writeSafetensors(partial, tensors))
    return { target: basename(target), tensors: tensors.length, parameters: count(tensors) }
  } finally {
    await file.close()
  }
}

function count(tensors: readonly { readonly shape: readonly number[] }[]): number {
  return tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}
