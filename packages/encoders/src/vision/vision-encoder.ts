import type { Encoder, EncoderBatch, HostTensor } from '../encoder.ts'
import { scopeLayers } from '../layers.ts'
import { encodersErrors } from '../errors.ts'
import type { ParameterInit, ParameterSpec } from '../parameter-spec.ts'
import { processVideo, type ImageProcessorConfig, type PixelPatches } from './image-processor.ts'
import type { RgbImage } from './rgb-image.ts'
import type { BatchRounding } from '../size-ladder.ts'
import { checkVisionConfig, type VisionConfig } from './vision-config.ts'
import { patchesInSlots, planVision, visionPlanKey, type VisionBucket } from './vision-plan.ts'
import { visionTower } from './vision-tower.ts'

/** Settings of `createVisionEncoder`. */
export interface VisionEncoderOptions {
  readonly config: VisionConfig
  readonly processor: ImageProcessorConfig
  /**
   * Sizes to pad every batch to, so that few graphs serve many batches; `rounded` goes up to the next of few sizes.
   * Default: each batch as small as it can be.
   */
  readonly bucket?: VisionBucket | BatchRounding
}

/**
 * The encoder of pictures: an image, or the frames of a clip or volume, become tokens of the LLM.
 *
 * @throws ENCODERS_CONFIG when sizes do not fit together
 */
export function createVisionEncoder({
  config,
  processor,
  bucket = {},
}: VisionEncoderOptions): Encoder<RgbImage | readonly RgbImage[], PixelPatches> {
  checkVisionConfig(config)
  for (const field of ['patchSize', 'temporalPatchSize'] as const)
    if (config[field] !== processor[field])
      throw encodersErrors.CONFIG({ field, value: processor[field], rule: `the tower's ${config[field]}` })
  if (config.spatialMergeSize !== processor.mergeSize)
    throw encodersErrors.CONFIG({
      field: 'mergeSize',
      value: processor.mergeSize,
      rule: `the tower's ${config.spatialMergeSize}`,
    })
  return {
    parameters: visionParameterSpecs(config),
    preprocess: input => processVideo(isClip(input) ? input : [input], processor),
    tokens: ({ gridThw: [frames, rows, columns] }) => (frames * rows * columns) / config.spatialMergeSize ** 2,
    batch: (items, rounding) => visionBatch(config, items, rounding ?? bucket),
  }
}

function isClip(input: RgbImage | readonly RgbImage[]): input is readonly RgbImage[] {
  return Array.isArray(input)
}

/**
 * Puts images and clips together for the tower.
 *
 * @throws ENCODERS_GRID, ENCODERS_VISION_BUCKET
 */
export function visionBatch(
  config: VisionConfig,
  items: readonly PixelPatches[],
  bucket: VisionBucket | BatchRounding = {},
): EncoderBatch {
  const grids = items.map(item => item.gridThw)
  const patchLength = config.inChannels * config.temporalPatchSize * config.patchSize ** 2
  for (const { gridThw, pixelValues } of items)
    if (pixelValues.length !== gridThw.reduce((size, side) => size * side, patchLength))
      throw encodersErrors.GRID({ grid: gridThw, mergeSize: config.spatialMergeSize })
  const plan = planVision(config, grids, bucket)
  const pixels = joined(items.map(item => item.pixelValues))
  const slots = plan.patchOfSlot.length
  const half = config.hiddenSize / config.numHeads / 2
  const { keyMask, slotOfToken } = plan
  const inputs: Record<string, HostTensor> = {
    pixelValues: float32([slots, patchLength], patchesInSlots(plan, pixels, patchLength)),
    cos: float32([slots, half], plan.cos),
    sin: float32([slots, half], plan.sin),
    ...(keyMask && { keyMask: float32([slots], keyMask) }),
    slotOfToken: { dtype: 'int32', shape: [slotOfToken.length], data: slotOfToken },
  }
  return {
    key: visionPlanKey(plan),
    inputs,
    rows: slotOfToken.length,
    forward: (ops, layers, input) =>
      visionTower(ops, scopeLayers(layers, 'visual.'), config, plan, {
        pixelValues: input('pixelValues'),
        cos: input('cos'),
        sin: input('sin'),
        keyMask: keyMask && input('keyMask'),
        slotOfToken: input('slotOfToken'),
      }),
  }
}

function float32(shape: readonly number[], data: Float32Array): HostTensor {
  return { dtype: 'float32', shape, data }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const [only] = parts
  if (only && parts.length === 1) return only
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function spec(name: string, shape: readonly number[], init: ParameterInit): ParameterSpec {
  return { name: `visual.${name}`, shape, init, isTrainable: true }
}

/** Parameters of the tower by their checkpoint names (`visual.…`), initialised as transformers does (normal, 0.02). */
export function visionParameterSpecs(config: VisionConfig): ParameterSpec[] {
  const { hiddenSize: d, intermediateSize: inner, outHiddenSize, spatialMergeSize, patchSize } = config
  const normal: ParameterInit = { type: 'normal', std: 0.02 }
  const linear = (name: string, outputs: number, inputs: number): ParameterSpec[] => [
    spec(`${name}.weight`, [outputs, inputs], normal),
    spec(`${name}.bias`, [outputs], { type: 'zeros' }),
  ]
  const norm = (name: string): ParameterSpec => spec(`${name}.weight`, [d], { type: 'ones' })
  const blocks = Array.from({ length: config.depth }, (_, i) => `blocks.${i}`).flatMap(block => [
    norm(`${block}.norm1`),
    norm(`${block}.norm2`),
    ...linear(`${block}.attn.qkv`, 3 * d, d),
    ...linear(`${block}.attn.proj`, d, d),
    ...linear(`${block}.mlp.gate_proj`, inner, d),
    ...linear(`${block}.mlp.up_proj`, inner, d),
    ...linear(`${block}.mlp.down_proj`, d, inner),
  ])
  const merged = d * spatialMergeSize ** 2
  return [
    spec('patch_embed.proj.weight', [d, config.inChannels, config.temporalPatchSize, patchSize, patchSize], normal),
    ...blocks,
    norm('merger.ln_q'),
    ...linear('merger.mlp.0', merged, merged),
    ...linear('merger.mlp.2', outHiddenSize, merged),
  ]
}
