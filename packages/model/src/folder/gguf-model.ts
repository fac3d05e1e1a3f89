import type { Architecture } from '../decoder/architecture.ts'
import { ggufArchitecture, ggufNames } from '../architectures/architectures.ts'
import { modelErrors } from '../errors.ts'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import type { GgufValue } from '../checkpoint/gguf-header.ts'
import type { GgufFile } from '../checkpoint/gguf-source.ts'
import type { ModelConfig } from '../checkpoint/model-config.ts'
import { ggufTokenizerJson } from '../tokenizer/gguf-tokenizer.ts'
import { createTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts'

/** What a GGUF file says of its model beside the weights. */
export interface GgufModelParts {
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
  readonly chatTemplate: string | undefined
  /** Whether a vision tower belongs to it, in a file of its own. */
  readonly isMultimodal: boolean
}

/**
 * Reads sizes, tokenizer and chat template from a GGUF file's metadata: llama, qwen2, and the language part of qwen2vl
 * (its vision tower lies in another file).
 *
 * @throws MODEL_CONFIG_INVALID, MODEL_CONFIG_UNSUPPORTED, MODEL_TOKENIZER_INVALID
 */
export function ggufModelParts(file: GgufFile): GgufModelParts {
  const values = metadataReader(file)
  const architecture = values.text('general.architecture')
  const known = ggufArchitecture(architecture)
  if (known === undefined) {
    const supported = ggufNames.join(', ')
    throw modelErrors.CONFIG_UNSUPPORTED({
      file: file.path,
      field: 'general.architecture',
      value: architecture,
      supported,
    })
  }
  const tokenizer = createTokenizer(ggufTokenizerJson(file), file.path)
  const decoder = decoderOf(file, architecture, known, tokenizer.vocabSize)
  const template = file.metadata.get('tokenizer.chat_template')
  const end = values.optionalNumber('tokenizer.ggml.eos_token_id')
  return {
    tokenizer,
    isMultimodal: architecture === 'qwen2vl',
    chatTemplate: typeof template === 'string' ? template : undefined,
    config: {
      family: known.family,
      decoder,
      tokenIds: {
        endOfSequence: end === undefined ? [] : [end],
        padding: values.optionalNumber('tokenizer.ggml.padding_token_id'),
      },
    },
  }
}

function decoderOf(file: GgufFile, architecture: string, known: Architecture, vocabulary: number): DecoderConfig {
  const values = metadataReader(file)
  const at = (name: string): string => `${architecture}.${name}`
  const scaling = file.metadata.get(at('rope.scaling.type')) ?? 'none'
  if (scaling !== 'none' || file.shapeOf('rope_freqs.weight') !== undefined) {
    throw modelErrors.CONFIG_UNSUPPORTED({
      file: file.path,
      field: 'rope.scaling.type',
      value: String(scaling),
      supported: 'none',
    })
  }
  const hiddenSize = values.count(at('embedding_length'))
  const numHeads = values.count(at('attention.head_count'))
  const headDim = values.optionalNumber(at('attention.key_length')) ?? hiddenSize / numHeads
  const numKvHeads = values.optionalNumber(at('attention.head_count_kv')) ?? numHeads
  const sections = file.metadata.get(at('rope.dimension_sections'))
  const section = Array.isArray(sections) ? (sections.slice(0, 3) as number[]) : undefined // checked below
  const fits = (value: number, rule: boolean, field: string): void => {
    if (!rule)
      throw modelErrors.CONFIG_INVALID({
        file: file.path,
        field: at(field),
        problem: `is ${value}, which does not fit the other sizes`,
      })
  }
  fits(headDim, Number.isInteger(headDim / 2), 'attention.key_length')
  fits(numKvHeads, Number.isInteger(numHeads / numKvHeads), 'attention.head_count_kv')
  const pairs = section?.reduce((sum, part) => sum + part, 0) ?? headDim / 2
  fits(pairs, pairs === headDim / 2, 'rope.dimension_sections')
  return {
    hiddenSize,
    intermediateSize: values.count(at('feed_forward_length')),
    numLayers: values.count(at('block_count')),
    numHeads,
    numKvHeads,
    headDim,
    vocabSize: file.shapeOf('token_embd.weight')?.[0] ?? vocabulary,
    rmsNormEpsilon: values.number(at('attention.layer_norm_rms_epsilon')),
    ropeTheta: values.optionalNumber(at('rope.freq_base')) ?? 10_000,
    ...(section && { mropeSection: section as [number, number, number] }), // their sum fits
    tieWordEmbeddings: file.shapeOf('output.weight') === undefined,
    attentionBias: known.attentionBias(undefined),
    maxPositions: values.count(at('context_length')),
    initializerRange: 0.02,
  }
}

interface MetadataReader {
  text(key: string): string
  number(key: string): number
  count(key: string): number
  optionalNumber(key: string): number | undefined
}

/** Sizes of real models stay below this; products of two stay exact. */
const maxCount = 2 ** 24

function metadataReader({ path, metadata }: GgufFile): MetadataReader {
  const fail = (field: string, value: GgufValue | undefined, wanted: string): Error =>
    modelErrors.CONFIG_INVALID({ file: path, field, problem: value === undefined ? 'is missing' : `must be ${wanted}` })
  const optionalNumber = (key: string): number | undefined => {
    const value = metadata.get(key)
    if (value !== undefined && (typeof value !== 'number' || !Number.isFinite(value) || value < 0))
      throw fail(key, value, 'a number')
    return value
  }
  const number = (key: string): number => {
    const value = optionalNumber(key)
    if (value === undefined) throw fail(key, undefined, 'a number')
    return value
  }
  return {
    optionalNumber,
    number,
    text: key => {
      const value = metadata.get(key)
      if (typeof value !== 'string') throw fail(key, value, 'a text')
      return value
    },
    count: key => {
      const value = number(key)
      if (!Number.isInteger(value) || value < 1 || value > maxCount)
        throw fail(key, value, `a whole number from 1 to ${maxCount}`)
      return value
    },
  }
}
