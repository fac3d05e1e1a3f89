import {
  defaultImageProcessor,
  nanoEcgJepa,
  nanoVision,
  picoEcgJepa,
  picoVision,
  type EcgJepaConfig,
  type ImageProcessorConfig,
  type VisionConfig,
} from '@qoq-med/encoders'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import type { ModelConfig } from '../checkpoint/model-config.ts'
import { modelErrors } from '../errors.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { createPolicyModel, type PolicyModel } from './policy-model.ts'

/** Sizes of the nano decoder: 2 million parameters with a vocabulary of 2,048; the embedding is also the head. */
export const nanoDecoder: Omit<DecoderConfig, 'vocabSize'> = {
  hiddenSize: 192,
  intermediateSize: 512,
  numLayers: 4,
  numHeads: 6,
  numKvHeads: 2,
  headDim: 32,
  rmsNormEpsilon: 1e-6,
  ropeTheta: 10_000,
  mropeSection: [4, 6, 6],
  tieWordEmbeddings: true,
  attentionBias: true,
  maxPositions: 2048,
  initializerRange: 0.02,
}

/** Sizes of a model that trains from scratch on two cores. */
interface PresetSizes {
  readonly decoder: Omit<DecoderConfig, 'vocabSize'>
  readonly vision: (outHiddenSize: number) => VisionConfig
  readonly ecg: EcgJepaConfig
}

/** Sizes of the pico decoder: .2 million parameters with a vocabulary of 600. */
const picoDecoder: Omit<DecoderConfig, 'vocabSize'> = {
  ...nanoDecoder,
  hiddenSize: 96,
  intermediateSize: 160,
  numLayers: 2,
  numHeads: 4,
  headDim: 24,
  mropeSection: [4, 4, 4],
}

/** Models that train from scratch by name. */
const modelPresets = {
  'qoq-nano': { decoder: nanoDecoder, vision: nanoVision, ecg: nanoEcgJepa },
  'qoq-pico': { decoder: picoDecoder, vision: picoVision, ecg: picoEcgJepa },
} as const satisfies Readonly<Record<string, PresetSizes>>

/** The name of a model that trains from scratch. */
export type ModelPreset = keyof typeof modelPresets

/** Names of the models that train from scratch. */
export const modelPresetNames = Object.keys(modelPresets) as [ModelPreset, ...ModelPreset[]] // the table's own keys

/** Pictures become at most 8 × 8 patches, 16 tokens. */
const nanoImages: ImageProcessorConfig = { ...defaultImageProcessor, minPixels: 56 * 56, maxPixels: 112 * 112 }

/** ECG-JEPA's 160 tokens are pooled to one for every lead and 2.5 s. */
const nanoEcgTokens = 32

/** What differs from the nano model's sizes. */
export interface NanoOptions {
  readonly decoder?: Partial<DecoderConfig>
  readonly images?: Partial<ImageProcessorConfig>
  /** Positions that an ECG takes; divides 160. Default 32. */
  readonly ecgTokens?: number
}

/**
 * Describes `qoq-nano`: the architecture of QoQ-Med (Qwen2.5 decoder, Qwen2.5-VL vision tower, ECG-JEPA) at sizes that train
 * on two CPU cores, about 3 million parameters.
 *
 * @param tokenizer one made by `trainTokenizer`, which has the special tokens
 * @throws MODEL_TOKENIZER_INVALID when a special token is missing
 * @example
 * const model = nanoModel(trainTokenizer(corpus, { vocabSize: 2048 }))
 * const { store } = initialiseModel(model, 42)
 */
export function nanoModel(tokenizer: Tokenizer, options: NanoOptions = {}): PolicyModel {
  return presetModel('qoq-nano', tokenizer, options)
}

/**
 * Describes a model that trains from scratch: `qoq-nano`, or `qoq-pico`, the same architecture at under half a million
 * parameters, for studies of many short answers.
 *
 * @param tokenizer one made by `trainTokenizer`, which has the special tokens
 * @throws MODEL_TOKENIZER_INVALID when a special token is missing
 */
export function presetModel(
  name: ModelPreset,
  tokenizer: Tokenizer,
  { decoder = {}, images = {}, ecgTokens = nanoEcgTokens }: NanoOptions = {},
): PolicyModel {
  const preset: PresetSizes = modelPresets[name]
  const sizes: DecoderConfig = { ...preset.decoder, vocabSize: tokenizer.vocabSize, ...decoder }
  const id = (content: string): number => {
    const found = tokenizer.idOf(content)
    if (found !== undefined) return found
    throw modelErrors.TOKENIZER_INVALID({ file: 'The tokenizer', problem: `it has no token ${content}` })
  }
  const config: ModelConfig = {
    family: 'qwen2_5_vl',
    decoder: sizes,
    vision: preset.vision(sizes.hiddenSize),
    ecg: { encoder: preset.ecg, pooling: ecgTokens, isExplicit: true },
    tokenIds: {
      image: id('<|image_pad|>'),
      video: id('<|video_pad|>'),
      visionStart: id('<|vision_start|>'),
      visionEnd: id('<|vision_end|>'),
      timeSeries: id('<|time_series_pad|>'),
      endOfSequence: [id('<|im_end|>')],
      padding: id('<|endoftext|>'),
    },
  }
  return createPolicyModel({
    name,
    config,
    tokenizer,
    imageProcessor: { ...nanoImages, ...images },
    endTokenIds: [id('<|endoftext|>')],
  })
}
