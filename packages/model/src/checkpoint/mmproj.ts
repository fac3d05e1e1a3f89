import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  defaultImageProcessor,
  qwen25Vl7bVision,
  type ImageProcessorConfig,
  type VisionConfig,
} from '@qoq-med/encoders'
import { modelErrors } from '../errors.ts'
import type { GgufValue } from './gguf-header.ts'
import type { GgufFile } from './gguf-source.ts'
import { mmprojSource } from './mmproj-source.ts'
import type { TensorSource } from './tensor-source.ts'

/** A vision tower in a GGUF file of its own, as llama.cpp keeps it beside the language model. */
export interface Mmproj {
  readonly vision: VisionConfig
  readonly imageProcessor: ImageProcessorConfig
  /** Its tensors under the names of a Hugging Face checkpoint, `visual.*`. */
  readonly source: TensorSource
}

/**
 * Finds the vision tower's file beside a language model: the only other .gguf of the folder with `mmproj` in its name.
 *
 * @throws MODEL_FOLDER_INVALID when there are several
 */
export async function findMmproj(path: string): Promise<string | undefined> {
  const folder = dirname(path)
  const found = (await readdir(folder)).filter(name => /mmproj.*\.gguf$/i.test(name) && join(folder, name) !== path)
  if (found.length < 2) return found[0] === undefined ? undefined : join(folder, found[0])
  throw modelErrors.FOLDER_INVALID({ folder, problem: `it has several vision towers: ${found.join(', ')}` })
}

/**
 * Reads a Qwen2.5-VL tower from llama.cpp's file: of the old script, which swaps the names of the MLP's products and leaves
 * sizes out, and of the converter since; with queries, keys and values apart or as one.
 *
 * @throws MODEL_GGUF_INVALID, MODEL_CONFIG_UNSUPPORTED, MODEL_CONFIG_INVALID
 */
export function readMmproj(file: GgufFile): Mmproj {
  const { metadata, path } = file
  const kind = metadata.get('clip.projector_type') ?? metadata.get('clip.vision.projector_type')
  if (kind !== 'qwen2.5vl_merger')
    throw modelErrors.CONFIG_UNSUPPORTED({
      file: path,
      field: 'clip.projector_type',
      value: String(kind),
      supported: 'qwen2.5vl_merger',
    })
  const vision = visionOf(file)
  const { patchSize, temporalPatchSize, spatialMergeSize: mergeSize } = vision
  return {
    vision,
    imageProcessor: { ...defaultImageProcessor, patchSize, temporalPatchSize, mergeSize, ...colours(metadata) },
    source: mmprojSource(file, vision),
  }
}

function visionOf(file: GgufFile): VisionConfig {
  const { metadata, path } = file
  const invalid = (field: string, problem: string): Error => modelErrors.CONFIG_INVALID({ file: path, field, problem })
  const count = (name: string): number => {
    const value = metadata.get(`clip.vision.${name}`)
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 2 ** 20)
      throw invalid(`clip.vision.${name}`, 'must be a whole number from 1')
    return value
  }
  const depth = count('block_count')
  if (depth > 1024) throw invalid('clip.vision.block_count', `is ${depth}; at most 1024`)
  const rows = (name: string): number => {
    const shape = file.shapeOf(name)
    if (shape === undefined) throw modelErrors.TENSOR_MISSING({ source: path, tensor: name, shape: [] })
    return shape[0]!
  }
  return {
    ...qwen25Vl7bVision,
    depth,
    hiddenSize: count('embedding_length'),
    // The old script writes 0 for these two.
    intermediateSize: rows('v.blk.0.ffn_gate.weight'),
    outHiddenSize: rows('mm.2.weight'),
    numHeads: count('attention.head_count'),
    patchSize: count('patch_size'),
    windowSize: metadata.has('clip.vision.window_size') ? count('window_size') : qwen25Vl7bVision.windowSize,
    fullattBlockIndexes: fullBlocks(metadata, depth),
  }
}

/** Blocks that attend to whole frames: listed, or every n-th. */
function fullBlocks(metadata: GgufFile['metadata'], depth: number): number[] {
  const listed = metadata.get('clip.vision.fullatt_block_indexes')
  if (Array.isArray(listed)) return listed.filter((value): value is number => typeof value === 'number')
  const pattern = metadata.get('clip.vision.n_wa_pattern')
  const every = typeof pattern === 'number' && pattern >= 1 ? pattern : 8
  return Array.from({ length: depth }, (_, block) => block).filter(block => (block + 1) % every === 0)
}

function colours(metadata: GgufFile['metadata']): Partial<ImageProcessorConfig> {
  const [mean, std] = ['clip.vision.image_mean', 'clip.vision.image_std'].map(key => triple(metadata.get(key)))
  return { ...(mean && { imageMean: mean }), ...(std && { imageStd: std }) }
}

function triple(value: GgufValue | undefined): [number, number, number] | undefined {
  const isTriple = Array.isArray(value) && value.length === 3 && value.every(each => typeof each === 'number')
  return isTriple ? (value as unknown as [number, number, number]) : undefined // three numbers, as just asked
}
