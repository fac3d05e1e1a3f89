import {
  createEcgEncoder,
  createVisionEncoder,
  defaultImageProcessor,
  ecgEncoderParameterSpecs,
  jepaWindow,
  seenSize,
  visionParameterSpecs,
  type ImageProcessorConfig,
  type ParameterSpec,
} from '@qoq-med/encoders'
import type { ModelConfig } from '../checkpoint/model-config.ts'
import type { ModelDocuments } from '../checkpoint/model-documents.ts'
import type { WeightPlan } from '../checkpoint/read-weights.ts'
import { decoderParameterSpecs } from '../decoder/parameter-specs.ts'
import { modelErrors } from '../errors.ts'
import type { SamplingOptions } from '../generation/sampler.ts'
import { defaultChatTemplate, type TemplateTokens } from '../prompt/chat-template.ts'
import { encodeMessages, type EncodeMessagesOptions, type PromptEncoders } from '../prompt/encode-messages.ts'
import type { Encoded } from '../prompt/encoded.ts'
import type { ImageSize } from '../prompt/image-size.ts'
import type { Message } from '../prompt/message.ts'
import type { MropeRule } from '../architectures/qwen2.5-vl/positions.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'

/** A model without its weights: what it takes to prepare prompts, name parameters and read answers. */
export interface PolicyModel {
  readonly name: string
  readonly config: ModelConfig
  /** @throws MODEL_FOLDER_INVALID on use, when the model came without one */
  readonly tokenizer: Tokenizer
  readonly hasTokenizer: boolean
  readonly chatTemplate: string
  readonly encoders: PromptEncoders
  readonly imageProcessor: ImageProcessorConfig
  /** Every parameter under its checkpoint name. */
  readonly parameters: readonly ParameterSpec[]
  /** Tokens that end an answer. */
  readonly endTokenIds: ReadonlySet<number>
  /** The placeholder of ECG tokens, from the config or the tokenizer. */
  readonly timeSeriesTokenId: number | undefined
  /** What generation_config.json recommends; nothing applies it unasked. */
  readonly sampling: SamplingOptions
  readonly mropeRule: MropeRule
  /**
   * The size at which the model sees a picture or a frame: the boxes that it reads and writes are in those pixels.
   *
   * @param stored in pixels of the file
   * @throws ENCODERS_IMAGE_ASPECT, ENCODERS_PIXEL_LIMITS
   */
  readonly seenSize: (stored: ImageSize) => ImageSize
  /** The small files that the model came with, written back unchanged. */
  readonly documents: ModelDocuments
  /** Names, types and files of the weights that the model came with, written back alike. */
  readonly stored?: WeightPlan
  /** Turns messages into a prompt. @throws as `encodeMessages` */
  encode(messages: readonly Message[], options?: EncodeMessagesOptions): Encoded
}

/** What `createPolicyModel` needs; the rest has defaults. */
export interface PolicyModelOptions {
  readonly name: string
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer | undefined
  /** Default: Qwen2.5-VL's with ECGs. */
  readonly chatTemplate?: string | undefined
  /** Special tokens that the chat template may write. */
  readonly templateTokens?: TemplateTokens | undefined
  /** Default: the paper's limit of 524,288 pixels. */
  readonly imageProcessor?: ImageProcessorConfig | undefined
  readonly sampling?: SamplingOptions | undefined
  /** End tokens beside those of the config. */
  readonly endTokenIds?: readonly number[] | undefined
  readonly mropeRule?: MropeRule | undefined
  readonly documents?: ModelDocuments | undefined
  readonly stored?: WeightPlan | undefined
}

/** Puts a model together from its parts. @throws ENCODERS_CONFIG when sizes do not fit together */
export function createPolicyModel(options: PolicyModelOptions): PolicyModel {
  const { config, tokenizer, name, stored, mropeRule = 'legacy', chatTemplate = defaultChatTemplate } = options
  const imageProcessor = options.imageProcessor ?? processorFor(config)
  const encoders = createEncoders(config, imageProcessor)
  const model: PolicyModel = {
    name,
    config,
    get tokenizer() {
      if (tokenizer) return tokenizer
      throw modelErrors.FOLDER_INVALID({ folder: name, problem: 'it has no tokenizer.json' })
    },
    hasTokenizer: tokenizer !== undefined,
    chatTemplate,
    encoders,
    imageProcessor,
    parameters: policyParameterSpecs(config),
    endTokenIds: endTokens(options),
    timeSeriesTokenId: config.tokenIds.timeSeries ?? tokenizer?.idOf('<|time_series_pad|>'),
    sampling: options.sampling ?? {},
    mropeRule,
    seenSize: size => seenSize(size, imageProcessor),
    documents: options.documents ?? new Map(),
    ...(stored && { stored }),
    encode: (messages, encodeOptions) =>
      encodeMessages(
        {
          tokenizer: model.tokenizer,
          chatTemplate,
          ...(options.templateTokens && { templateTokens: options.templateTokens }),
          encoders,
          mropeRule,
          maxPositions: config.decoder.maxPositions,
          spatialMergeSize: config.vision?.spatialMergeSize ?? 2,
          tokensPerSecond: config.vision?.tokensPerSecond ?? 2,
        },
        messages,
        encodeOptions,
      ),
  }
  return model
}

/** Tokens that end an answer: those of the configs, or else the tokenizer's. */
function endTokens({ config, endTokenIds = [], tokenizer, templateTokens }: PolicyModelOptions): Set<number> {
  const ends = new Set([...config.tokenIds.endOfSequence, ...endTokenIds])
  const eos = templateTokens?.eos_token === undefined ? undefined : tokenizer?.idOf(templateTokens.eos_token)
  return ends.size === 0 && eos !== undefined ? new Set([eos]) : ends
}

/** Encoders of the config's modalities. */
function createEncoders({ decoder, vision, ecg }: ModelConfig, processor: ImageProcessorConfig): PromptEncoders {
  const samples = ecg && ecg.encoder.numPatches * ecg.encoder.patchSize
  return {
    ...(vision && { vision: createVisionEncoder({ config: vision, processor, bucket: 'rounded' }) }),
    ...(ecg && {
      ecg: createEcgEncoder({
        config: ecg.encoder,
        bucket: 'rounded',
        hiddenSize: decoder.hiddenSize,
        pooling: ecg.pooling,
        window: { ...jepaWindow, samples: samples ?? jepaWindow.samples },
      }),
    }),
  }
}

/** Every parameter of a model under its checkpoint name: decoder, vision tower, ECG encoder with its projection. */
export function policyParameterSpecs({
  decoder,
  vision,
  ecg,
}: Pick<ModelConfig, 'decoder' | 'vision' | 'ecg'>): ParameterSpec[] {
  return [
    ...decoderParameterSpecs(decoder),
    ...(vision ? visionParameterSpecs(vision) : []),
    ...(ecg ? ecgEncoderParameterSpecs(ecg.encoder, decoder.hiddenSize) : []),
  ]
}

function processorFor({ vision }: ModelConfig): ImageProcessorConfig {
  if (!vision) return defaultImageProcessor
  const { patchSize, temporalPatchSize, spatialMergeSize: mergeSize } = vision
  return { ...defaultImageProcessor, patchSize, temporalPatchSize, mergeSize }
}
