import { frozenBytes, planMemory, type FrozenType, type PolicyModel } from '@qoq-med/model'
import { sizeOf, type MemoryMode } from '@qoq-med/tensor'
import type { TunedStage } from '../config/run-config.ts'

/** What decides the memory of a stage beside the stage itself. */
export interface StageKeeping {
  readonly memory: MemoryMode
  /** How a frozen base is kept on disk; undefined: all weights are in memory as float32. */
  readonly weights: FrozenType | undefined
}

/** Sizes of a stage's passes. */
export interface PassSizes extends StageKeeping {
  readonly parameters: number
  readonly trainable: number
  /** Tokens of the longest sequence. */
  readonly length: number
  /** Whether the stage also answers. */
  readonly answers: boolean
}

/** Node with ONNX Runtime and all of training's code; answering alone (`planMemory` of model) loads less. */
const programBytes = 245 * 2 ** 20

/** Bytes that the weights of a stage take, with their gradients and moments, and what its passes hold. */
export function tunedBytes(stage: TunedStage, model: PolicyModel, sizes: PassSizes): number {
  const { weights, parameters, trainable } = sizes
  const passes = activationBytes(stage, model, sizes)
  if (weights === undefined) return 4 * (parameters + 3 * trainable) + passes
  // Mapped: the system may take it back, but a pass reads all of it.
  // At the end the model is written, a weight at a time: as float32, and in its own type.
  const base = frozenBytes(model, weights) + widestBytes(model) * (1 + 1.5)
  const answering = sizes.answers ? answeringBytes(model, weights, sizes.length) : 0
  return programBytes + base + 16 * trainable + passes + answering
}

/** The vocabulary head as float32, or another matrix that is larger: what is widened at a time, while another is read. */
function widestBytes({ parameters }: PolicyModel): number {
  const matrices = parameters.filter(({ shape }) => shape.length === 2).map(({ shape }) => 4 * sizeOf(shape))
  return Math.max(...matrices)
}

/** A second copy of the base, in the layout of the products that answer, and their cache. */
function answeringBytes(model: PolicyModel, weightsType: FrozenType, context: number): number {
  const { total, program } = planMemory(model, { weightsType, context })
  return total - program
}

/** About what a pass keeps of a microbatch from its forward pass for its backward pass, in float32. */
function activationBytes(
  { microbatchSize }: TunedStage,
  { config }: PolicyModel,
  { memory, length }: PassSizes,
): number {
  const { hiddenSize, intermediateSize, numLayers, numHeads, vocabSize } = config.decoder
  const layer = 8 * hiddenSize + 4 * intermediateSize + 2 * numHeads * length
  const products = 6 * hiddenSize + 3 * intermediateSize
  const kept = {
    fast: numLayers * layer,
    saved: numLayers * products + layer,
    recompute: numLayers * hiddenSize + layer,
  }
  return 4 * microbatchSize * length * (kept[memory] + 3 * vocabSize)
}
