import { z } from 'zod'
import { modelErrors } from '../errors.ts'
import { decoderConfig, parseConfig, type DecoderConfig } from './decoder-config.ts'

/** Sizes of the vision tower, from `vision_config`. */
export interface VisionConfig {
  readonly depth: number
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly numHeads: number
  readonly inChannels: number
  readonly outHiddenSize: number
  readonly patchSize: number
  readonly temporalPatchSize: number
  readonly spatialMergeSize: number
  /** Side of an attention window in pixels. */
  readonly windowSize: number
  /** Blocks that attend to the whole image. */
  readonly fullAttentionBlocks: readonly number[]
  /** Temporal positions per second of video. */
  readonly tokensPerSecond: number
}

/** How many positions of the sequence an ECG takes: one per patch, one for all (mean), or pooled to a number. */
export type EcgTokens = 'patches' | 'mean' | number

/** Sizes of the ECG-JEPA encoder, from `ecg_config` (ours) or the official sizes where a release config is silent. */
export interface EcgConfig {
  readonly hiddenSize: number
  readonly depth: number
  readonly numHeads: number
  readonly numLeads: number
  /** Patches per lead. */
  readonly numPatches: number
  /** Samples per patch. */
  readonly patchSize: number
  readonly tokens: EcgTokens
}

/** Ids of tokens with a meaning for the model; -1 where the vocabulary has none. */
export interface SpecialTokenIds {
  readonly image: number
  readonly video: number
  readonly visionStart: number
  readonly visionEnd: number
  readonly timeSeries: number
  /** Tokens that end an answer. */
  readonly endOfSequence: readonly number[]
}

/** Which decoder family a checkpoint belongs to. */
export type ModelFamily = 'llama' | 'qwen2' | 'qwen2_5_vl'

/** Sizes and special tokens of a model; vision tower and ECG encoder where it has them. */
export interface ModelConfig {
  readonly family: ModelFamily
  readonly decoder: DecoderConfig
  readonly vision?: VisionConfig
  readonly ecg?: EcgConfig
  readonly tokenIds: SpecialTokenIds
}

const families: Readonly<Record<string, ModelFamily>> = {
  llama: 'llama',
  qwen2: 'qwen2',
  qwen2_5_vl: 'qwen2_5_vl',
  time_series_qwen2_5_vl: 'qwen2_5_vl',
}

const id = z.int().nonnegative()
const TopJson = z.looseObject({
  model_type: z.string(),
  architectures: z.array(z.string()).default([]),
  text_config: z.looseObject({}).optional(),
  vision_config: z.looseObject({}).optional(),
  ecg_config: z.looseObject({}).optional(),
  tie_word_embeddings: z.boolean().optional(),
  eos_token_id: z.union([id, z.array(id)]).nullish(),
  image_token_id: id.optional(),
  video_token_id: id.optional(),
  vision_start_token_id: id.optional(),
  vision_end_token_id: id.optional(),
  time_series_token_id: id.optional(),
})
const EosJson = z.looseObject({ eos_token_id: z.union([id, z.array(id)]).nullish() })

const size = z.int().positive().max(100_000)
const VisionJson = z.looseObject({
  depth: size.max(1024),
  hidden_size: size,
  intermediate_size: size,
  num_heads: size,
  in_channels: size.optional(),
  in_chans: size.optional(),
  out_hidden_size: size,
  patch_size: size.default(14),
  temporal_patch_size: size.default(2),
  spatial_merge_size: size.default(2),
  window_size: size.default(112),
  fullatt_block_indexes: z.array(z.int().nonnegative()).default([7, 15, 23, 31]),
  tokens_per_second: z.number().positive().default(2),
  hidden_act: z.literal('silu').default('silu'),
})

const EcgJson = z.looseObject({
  encoder_embed_dim: size.default(768),
  encoder_depth: size.max(1024).default(12),
  encoder_num_heads: size.default(16),
  num_leads: size.default(8),
  num_patches: size.default(50),
  patch_size: size.default(50),
  tokens: z.union([z.enum(['patches', 'mean']), z.int().positive()]).default('mean'),
})

/**
 * Reads a config.json: `qwen2` and `llama` (text), `qwen2_5_vl` in the flat style of the Hub and the nested one of
 * transformers 5, and the release's TimeSeriesQwen2_5_VLForConditionalGeneration.
 *
 * @param json the parsed document
 * @param file its name, for messages
 * @throws MODEL_CONFIG_INVALID, MODEL_CONFIG_UNSUPPORTED
 */
export function modelConfig(json: unknown, file = 'config.json'): ModelConfig {
  const top = parseConfig(TopJson, json, file)
  const family = families[top.model_type]
  if (family === undefined) {
    const supported = Object.keys(families).join(', ')
    throw modelErrors.CONFIG_UNSUPPORTED({ file, field: 'model_type', value: top.model_type, supported })
  }
  const hasEcg = top.ecg_config !== undefined || top.architectures.some(name => name.startsWith('TimeSeries'))
  const decoder = decoderConfig(top.text_config ?? top, file, family, top.tie_word_embeddings)
  const vision = family === 'qwen2_5_vl' ? visionConfig(top.vision_config, file) : undefined
  if (vision !== undefined && vision.outHiddenSize !== decoder.hiddenSize) {
    const problem = `is ${vision.outHiddenSize}; it must equal the decoder’s hidden_size (${decoder.hiddenSize})`
    throw modelErrors.CONFIG_INVALID({ file, field: 'vision_config.out_hidden_size', problem })
  }
  return {
    family,
    decoder,
    ...(vision ? { vision } : {}),
    ...(hasEcg ? { ecg: ecgConfig(top.ecg_config ?? {}, file) } : {}),
    tokenIds: {
      image: top.image_token_id ?? -1,
      video: top.video_token_id ?? -1,
      visionStart: top.vision_start_token_id ?? -1,
      visionEnd: top.vision_end_token_id ?? -1,
      timeSeries: top.time_series_token_id ?? -1,
      endOfSequence: endOfSequence(top, file),
    },
  }
}

/** Sizes of an ECG-JEPA encoder from the official code's names (`encoder_embed_dim`, …). @throws MODEL_CONFIG_INVALID */
export function ecgConfig(json: unknown, file: string): EcgConfig {
  const ecg = parseConfig(EcgJson, json, file)
  return {
    hiddenSize: ecg.encoder_embed_dim,
    depth: ecg.encoder_depth,
    numHeads: ecg.encoder_num_heads,
    numLeads: ecg.num_leads,
    numPatches: ecg.num_patches,
    patchSize: ecg.patch_size,
    tokens: ecg.tokens,
  }
}

function visionConfig(json: unknown, file: string): VisionConfig {
  const vision = parseConfig(VisionJson, json, `${file}, vision_config`)
  return {
    depth: vision.depth,
    hiddenSize: vision.hidden_size,
    intermediateSize: vision.intermediate_size,
    numHeads: vision.num_heads,
    inChannels: vision.in_channels ?? vision.in_chans ?? 3,
    outHiddenSize: vision.out_hidden_size,
    patchSize: vision.patch_size,
    temporalPatchSize: vision.temporal_patch_size,
    spatialMergeSize: vision.spatial_merge_size,
    windowSize: vision.window_size,
    fullAttentionBlocks: vision.fullatt_block_indexes,
    tokensPerSecond: vision.tokens_per_second,
  }
}

function endOfSequence(top: z.output<typeof TopJson>, file: string): number[] {
  const text = parseConfig(EosJson, top.text_config ?? {}, file)
  return [top.eos_token_id ?? text.eos_token_id ?? []].flat()
}
