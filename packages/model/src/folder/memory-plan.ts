import { totalmem } from 'node:os'
import { sizeOf } from '@qoq-med/tensor'
import { modelErrors } from '../errors.ts'
import type { PolicyModel } from '../composition/policy-model.ts'
import { codeBytes, isCoded, type PackedEntry, type PackedLayout } from '../packed/packed-layout.ts'
import { packedParts, type PackedSource, type PackedType } from '../packed/packed-parts.ts'
import { cacheVectorBytes, type CacheType } from '../generation/cache-codec.ts'
import { chunkTokens } from '../generation/step-program.ts'

/** What answering with a model takes at most, in bytes. */
export interface MemoryPlan {
  readonly weightsType: PackedType
  /** The decoder's weights as the runtime keeps them, and what it takes beside them while it lays them out. */
  readonly weights: number
  /** The encoders' weights, alike. */
  readonly encoders: number
  /** Cached keys and values of the context, for the whole batch. */
  readonly cache: number
  /** Values of the largest part of a prompt that is computed at a time, and outputs. */
  readonly activations: number
  /** The program itself. */
  readonly program: number
  /** The most of what happens in turn: laying out the decoder, and encoding a picture beside it. */
  readonly total: number
}

/** For which work memory is planned. */
export interface MemoryPlanOptions {
  readonly weightsType: PackedType
  /** Tokens of prompt and answer. Default 2048. */
  readonly context?: number
  /** Sequences that are answered together. Default 1. */
  readonly batch?: number
  /** How the cache keeps keys and values. Default float32. */
  readonly cacheType?: CacheType | undefined
}

/** Node with ONNX Runtime and our code: 164 MiB measured before a model is read, and some heap for its tables. */
const programBytes = 180 * 2 ** 20

/** Of a block of codes: the scale and the sum in the runtime's own layout, and the scale in the file, which stays mapped. */
const bytesPerBlock = 12

/**
 * Bytes of a matrix in memory per weight, measured on shapes of 3 B and 7 B (docs/log.md): codes are in the runtime's own layout;
 * float32 is packed beside the mapped file; bfloat16 stays there, and is widened a matrix at a time.
 */
function bytesPerWeight({ kind, blockSize }: PackedEntry): number {
  if (isCoded(kind)) return codeBytes[kind] + bytesPerBlock / blockSize
  return kind === 'float32' ? 8 : codeBytes[kind]
}

/** Of what a decoder takes while it is laid out: what stays. */
const laidOutShare = 0.93

/** Plans what answering takes, before anything is read. */
export function planMemory(
  model: PackedSource,
  { weightsType, context = 2048, batch = 1, cacheType = 'float32' }: MemoryPlanOptions,
): MemoryPlan {
  const { numLayers, numHeads, numKvHeads, headDim, hiddenSize, intermediateSize, vocabSize } = model.config.decoder
  const layouts = packedParts(model, weightsType)
  const parts = {
    weights: layoutBytes(layouts.decoder),
    encoders: layoutBytes(layouts.encoders),
    // The last prompt's own beside those that are answered: the next may go on from it.
    cache: (batch + 1) * context * 2 * numLayers * numKvHeads * cacheVectorBytes(cacheType, headDim),
    // A chunk's widest layer, its attention scores, its new keys and values twice, and the logits of a step.
    activations:
      4 * chunkTokens * (4 * intermediateSize + 6 * hiddenSize + 3 * numHeads * (context + chunkTokens)) +
      4 * chunkTokens * 4 * numLayers * numKvHeads * headDim +
      4 * batch * vocabSize * 4 +
      widenedBytes(layouts.decoder),
    program: programBytes,
  }
  const { weights, encoders, ...rest } = parts
  const most = Math.max(weights, laidOutShare * weights + encoders)
  return { weightsType, ...parts, total: most + Object.values(rest).reduce((sum, bytes) => sum + bytes, 0) }
}

/** The largest matrix that is widened while it is multiplied. */
function widenedBytes({ entries }: PackedLayout): number {
  const widened = [...entries.values()].filter(({ kind }) => kind === 'bfloat16')
  return Math.max(0, ...widened.map(({ shape }) => 4 * sizeOf(shape)))
}

function layoutBytes({ entries }: PackedLayout): number {
  let bytes = 0
  for (const entry of entries.values())
    bytes += sizeOf(entry.shape) * bytesPerWeight(entry) + 2 * (entry.corrections?.lengthBytes ?? 0)
  return bytes
}

/** Bytes that this process may still take. */
export function availableBytes(): number {
  return process.availableMemory()
}

/**
 * The most exact way to keep weights that leaves room for other work: the checkpoint's own codes where it has such, else float32 up to a quarter of the memory, eight bits up to two
 * fifths, else four.
 */
export function weightsTypeFor(
  model: PackedSource,
  options: Omit<MemoryPlanOptions, 'weightsType'> = {},
  memory: number = Math.min(totalmem(), process.constrainedMemory() || Infinity),
): PackedType {
  const hasCodes = [...(model.stored?.values() ?? [])].some(({ dtype }) => /^Q\d/.test(dtype))
  if (hasCodes) return 'stored'
  const takes = (weightsType: PackedType): number => planMemory(model, { ...options, weightsType }).total
  if (takes('float32') <= memory / 4) return 'float32'
  return takes('int8') <= 0.4 * memory ? 'int8' : 'int4'
}

/**
 * Refuses what cannot fit, before anything is read.
 *
 * @throws MODEL_MEMORY_SHORT with the plan's numbers and what would fit
 */
export function requireMemory(
  model: PackedSource & Pick<PolicyModel, 'name'>,
  options: MemoryPlanOptions,
  available: number = availableBytes(),
): MemoryPlan {
  const plan = planMemory(model, options)
  if (plan.total <= available) return plan
  const fitting = (['float32', 'int8', 'int4'] as const).find(
    type => planMemory(model, { ...options, weightsType: type }).total <= available,
  )
  const smallest = planMemory(model, { ...options, weightsType: 'int4' })
  const perToken = planMemory(model, { ...options, weightsType: 'int4', context: 1 }).cache
  const room = Math.floor((available - (smallest.total - smallest.cache)) / perToken)
  throw modelErrors.MEMORY_SHORT({
    name: model.name,
    plan,
    available,
    fits:
      fitting !== undefined
        ? `--weights ${fitting}`
        : room >= 256
          ? `--weights int4 and a context of ${room}`
          : undefined,
    least: smallest.total,
  })
}
