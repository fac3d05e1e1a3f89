import { encodersErrors } from '../errors.ts'

/** Sizes of a Qwen2.5-VL vision tower; the names are those of `vision_config`, camelCased. */
export interface VisionConfig {
  readonly depth: number
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly numHeads: number
  /** The LLM's hidden size. */
  readonly outHiddenSize: number
  readonly inChannels: number
  /** Side of a patch in pixels. */
  readonly patchSize: number
  /** Frames that share a patch. */
  readonly temporalPatchSize: number
  /** Patches per side of a block that becomes one token. */
  readonly spatialMergeSize: number
  /** Side of an attention window in pixels. */
  readonly windowSize: number
  /** Blocks that attend to the whole frame instead of a window. */
  readonly fullattBlockIndexes: readonly number[]
  /** For the temporal positions of videos. */
  readonly tokensPerSecond: number
}

const patches = {
  inChannels: 3,
  patchSize: 14,
  temporalPatchSize: 2,
  spatialMergeSize: 2,
  windowSize: 112,
  tokensPerSecond: 2,
}

/** The tower of Qwen2.5-VL-7B, and of QoQ-Med-7B. */
export const qwen25Vl7bVision: VisionConfig = {
  ...patches,
  depth: 32,
  hiddenSize: 1280,
  intermediateSize: 3420,
  numHeads: 16,
  outHiddenSize: 3584,
  fullattBlockIndexes: [7, 15, 23, 31],
}

/** A small tower that trains on two CPU cores: about 0.6 million parameters. */
export function nanoVision(outHiddenSize: number): VisionConfig {
  return {
    ...patches,
    depth: 3,
    hiddenSize: 96,
    intermediateSize: 192,
    numHeads: 3,
    outHiddenSize,
    fullattBlockIndexes: [2],
  }
}

/** The smallest tower: about 0.25 million parameters. */
export function picoVision(outHiddenSize: number): VisionConfig {
  return {
    ...nanoVision(outHiddenSize),
    depth: 2,
    hiddenSize: 64,
    intermediateSize: 96,
    numHeads: 4,
    fullattBlockIndexes: [1],
  }
}

/** Names in `vision_config`; older files write `in_chans`. */
const fields = {
  depth: 'depth',
  hiddenSize: 'hidden_size',
  intermediateSize: 'intermediate_size',
  numHeads: 'num_heads',
  outHiddenSize: 'out_hidden_size',
  inChannels: 'in_channels',
  patchSize: 'patch_size',
  temporalPatchSize: 'temporal_patch_size',
  spatialMergeSize: 'spatial_merge_size',
  windowSize: 'window_size',
  tokensPerSecond: 'tokens_per_second',
} as const

/** Largest size that a config may claim: no tower is near it, and products of two stay exact. */
const maxSize = 2 ** 20
/** Every block has a dozen parameters, named before any is read. */
const maxDepth = 1024

/**
 * Reads the `vision_config` of a checkpoint's config.json; absent fields have Qwen2.5-VL's values.
 *
 * @throws ENCODERS_CONFIG when a field is no sensible size, or the activation is not SiLU
 */
export function readVisionConfig(json: Readonly<Record<string, unknown>>): VisionConfig {
  const source: Record<string, unknown> = { in_channels: json['in_chans'], ...json }
  const config: Record<string, unknown> = { ...qwen25Vl7bVision }
  for (const [field, name] of Object.entries(fields)) if (source[name] !== undefined) config[field] = source[name]
  config['fullattBlockIndexes'] = json['fullatt_block_indexes'] ?? qwen25Vl7bVision.fullattBlockIndexes
  const act = json['hidden_act'] ?? 'silu'
  if (act !== 'silu') throw encodersErrors.CONFIG({ field: 'hidden_act', value: act, rule: '"silu"' })
  return checkVisionConfig(config as unknown as VisionConfig) // every field is checked there
}

/** Writes `vision_config` as transformers reads it. */
export function writeVisionConfig(config: VisionConfig): Record<string, unknown> {
  const json: Record<string, unknown> = { model_type: 'qwen2_5_vl', hidden_act: 'silu' }
  for (const [field, name] of Object.entries(fields)) json[name] = config[field as keyof typeof fields] // its keys
  return { ...json, in_chans: config.inChannels, fullatt_block_indexes: config.fullattBlockIndexes }
}

/**
 * Refuses sizes that do not fit together.
 *
 * @throws ENCODERS_CONFIG
 */
export function checkVisionConfig(config: VisionConfig): VisionConfig {
  for (const [field, name] of Object.entries(fields)) {
    const value: unknown = config[field as keyof typeof fields] // its keys
    if (!Number.isInteger(value) || Number(value) < 1 || Number(value) > maxSize)
      throw encodersErrors.CONFIG({ field: name, value, rule: `a whole number from 1 to ${maxSize}` })
  }
  if (config.depth > maxDepth)
    throw encodersErrors.CONFIG({ field: 'depth', value: config.depth, rule: `at most ${maxDepth}` })
  const { hiddenSize, numHeads, windowSize, patchSize, spatialMergeSize, fullattBlockIndexes } = config
  if (hiddenSize % (4 * numHeads) !== 0)
    throw encodersErrors.CONFIG({ field: 'hidden_size', value: hiddenSize, rule: 'a multiple of 4 times num_heads' })
  if (windowSize < patchSize * spatialMergeSize)
    throw encodersErrors.CONFIG({ field: 'window_size', value: windowSize, rule: 'at least one merged patch wide' })
  if (!Array.isArray(fullattBlockIndexes) || !fullattBlockIndexes.every(Number.isInteger))
    throw encodersErrors.CONFIG({
      field: 'fullatt_block_indexes',
      value: fullattBlockIndexes,
      rule: 'a list of block numbers',
    })
  return config
}
