import {
  readEcgJepaConfig,
  readVisionConfig,
  writeEcgJepaConfig,
  writeVisionConfig,
  type EcgJepaConfig,
  type EcgPooling,
  type VisionConfig,
} from '@qoq-med/encoders'
import { z } from 'zod'
import { architectureOf, modelTypes, type ModelFamily } from '../architectures/architectures.ts'
import { modelErrors } from '../errors.ts'
import { decoderConfig, parseConfig, type DecoderConfig } from '../decoder/decoder-config.ts'

/** The ECG part of a model: sizes of ECG-JEPA, and how many positions of the sequence an ECG takes. */
export interface EcgConfig {
  readonly encoder: EcgJepaConfig
  readonly pooling: EcgPooling
  /** Whether config.json gave the sizes; if not they are the official ones until the weights say otherwise. */
  readonly isExplicit: boolean
}

/** Ids of tokens with a meaning for the model; absent where the config does not say. */
export interface SpecialTokenIds {
  readonly image?: number | undefined
  readonly video?: number | undefined
  readonly visionStart?: number | undefined
  readonly visionEnd?: number | undefined
  readonly timeSeries?: number | undefined
  /** Tokens that end an answer. */
  readonly endOfSequence: readonly number[]
  readonly padding?: number | undefined
}

/** Sizes and special tokens of a model; vision tower and ECG encoder where it has them. */
export interface ModelConfig {
  readonly family: ModelFamily
  readonly decoder: DecoderConfig
  readonly vision?: VisionConfig
  readonly ecg?: EcgConfig
  readonly tokenIds: SpecialTokenIds
}

const id = z.int().nonnegative()
const ids = z.union([id, z.array(id)]).nullish()
const part = z.record(z.string(), z.unknown())
const TopJson = z.looseObject({
  model_type: z.string(),
  architectures: z.array(z.string()).nullish(),
  text_config: part.optional(),
  vision_config: part.optional(),
  ecg_config: part.optional(),
  tie_word_embeddings: z.boolean().optional(),
  eos_token_id: ids,
  pad_token_id: id.nullish(),
  image_token_id: id.optional(),
  video_token_id: id.optional(),
  vision_start_token_id: id.optional(),
  vision_end_token_id: id.optional(),
  time_series_token_id: id.optional(),
})
const TextTokensJson = z.looseObject({ eos_token_id: ids, pad_token_id: id.nullish() })
const PoolingJson = z.union([z.enum(['patches', 'mean']), z.int().positive()])

/**
 * Reads a config.json: `qwen2` and `llama` (text), `qwen2_5_vl` in the flat style of the Hub and the nested one of
 * transformers 5, and the release's TimeSeriesQwen2_5_VLForConditionalGeneration.
 *
 * @param json the parsed document
 * @param file its name, for messages
 * @throws MODEL_CONFIG_INVALID, MODEL_CONFIG_UNSUPPORTED, ENCODERS_CONFIG
 */
export function modelConfig(json: unknown, file = 'config.json'): ModelConfig {
  const top = parseConfig(TopJson, json, file)
  const architecture = architectureOf(top.model_type)
  if (architecture === undefined) {
    const supported = modelTypes.join(', ')
    throw modelErrors.CONFIG_UNSUPPORTED({ file, field: 'model_type', value: top.model_type, supported })
  }
  const hasEcg = top.ecg_config !== undefined || top.architectures?.some(name => name.startsWith('TimeSeries')) === true
  const decoder = decoderConfig(top.text_config ?? top, file, architecture, top.tie_word_embeddings)
  const vision = architecture.hasVision ? readVisionConfig(top.vision_config ?? {}) : undefined
  if (vision !== undefined && vision.outHiddenSize !== decoder.hiddenSize) {
    const problem = `is ${vision.outHiddenSize}; it must equal the decoder’s hidden_size (${decoder.hiddenSize})`
    throw modelErrors.CONFIG_INVALID({ file, field: 'vision_config.out_hidden_size', problem })
  }
  return {
    family: architecture.family,
    decoder,
    ...(vision && { vision }),
    ...(hasEcg && { ecg: ecgConfig(top.ecg_config, file) }),
    tokenIds: specialTokenIds(top, file),
  }
}

/** Writes a config.json in the flat style of the Hub, which transformers loads; an ECG part makes it the release's class. */
export function configDocument(config: ModelConfig): Record<string, unknown> {
  const { decoder, vision, ecg, tokenIds } = config
  return {
    architectures: [className(config)],
    model_type: config.family,
    attention_dropout: 0,
    eos_token_id: tokenIds.endOfSequence[0] ?? null,
    pad_token_id: tokenIds.padding ?? null,
    image_token_id: tokenIds.image,
    video_token_id: tokenIds.video,
    vision_start_token_id: tokenIds.visionStart,
    vision_end_token_id: tokenIds.visionEnd,
    time_series_token_id: tokenIds.timeSeries,
    hidden_act: 'silu',
    hidden_size: decoder.hiddenSize,
    initializer_range: decoder.initializerRange,
    intermediate_size: decoder.intermediateSize,
    max_position_embeddings: decoder.maxPositions,
    num_attention_heads: decoder.numHeads,
    num_hidden_layers: decoder.numLayers,
    num_key_value_heads: decoder.numKvHeads,
    head_dim: decoder.headDim,
    rms_norm_eps: decoder.rmsNormEpsilon,
    rope_theta: decoder.ropeTheta,
    ...(decoder.mropeSection && { rope_scaling: { type: 'mrope', mrope_section: decoder.mropeSection } }),
    sliding_window: null,
    tie_word_embeddings: decoder.tieWordEmbeddings,
    torch_dtype: 'float32',
    use_cache: true,
    use_sliding_window: false,
    vocab_size: decoder.vocabSize,
    ...(vision && { vision_config: writeVisionConfig(vision) }),
    ...(ecg && { ecg_config: { ...writeEcgJepaConfig(ecg.encoder), tokens: ecg.pooling } }),
  }
}

function className({ family, ecg }: ModelConfig): string {
  if (ecg) return 'TimeSeriesQwen2_5_VLForConditionalGeneration'
  return architectureOf(family)!.className // a family is one of its own model types
}

function ecgConfig(json: Record<string, unknown> | undefined, file: string): EcgConfig {
  const pooling = parseConfig(z.looseObject({ tokens: PoolingJson.default('mean') }), json ?? {}, `${file}, ecg_config`)
  return { encoder: readEcgJepaConfig(json ?? {}), pooling: pooling.tokens, isExplicit: json !== undefined }
}

function specialTokenIds(top: z.output<typeof TopJson>, file: string): SpecialTokenIds {
  const text = parseConfig(TextTokensJson, top.text_config ?? {}, file)
  return {
    image: top.image_token_id,
    video: top.video_token_id,
    visionStart: top.vision_start_token_id,
    visionEnd: top.vision_end_token_id,
    timeSeries: top.time_series_token_id,
    endOfSequence: [top.eos_token_id ?? text.eos_token_id ?? []].flat(),
    padding: top.pad_token_id ?? text.pad_token_id ?? undefined,
  }
}
