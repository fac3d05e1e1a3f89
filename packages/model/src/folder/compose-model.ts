import { join } from 'node:path'
import {
  ecgEncoderParameterSpecs,
  initialValues,
  pooledTokens,
  writeEcgJepaConfig,
  type EcgPooling,
  type ParameterSpec,
} from '@qoq-med/encoders'
import { sizeOf } from '@qoq-med/tensor'
import { parseObject } from '../checkpoint/json-keys.ts'
import type { DocumentName, ModelDocuments } from '../checkpoint/model-documents.ts'
import { openTensorFile } from '../checkpoint/tensor-file.ts'
import type { TensorSource } from '../checkpoint/tensor-source.ts'
import { modelErrors } from '../errors.ts'
import { counterStream } from '../generation/counter-random.ts'
import { defaultChatTemplate } from '../prompt/chat-template.ts'
import { createTokenizer } from '../tokenizer/tokenizer.ts'
import { ecgEncoderPlan, type EcgEncoderPlan } from './ecg-encoder-plan.ts'
import { openModel, type OpenModel } from './open-model.ts'
import { createPolicyModel, type PolicyModel } from '../composition/policy-model.ts'
import { writeModelFolder } from './save-model.ts'

/** From what a model is composed. */
export interface ComposeOptions {
  /** Folder of a Qwen2.5-VL model. */
  readonly base: string
  /** A bare ECG-JEPA checkpoint: the official .pth, or safetensors with its names. */
  readonly ecg: string
  /** How many positions an ECG takes. Default `patches`, the paper's reading; the release pools to `mean`. */
  readonly ecgTokens?: EcgPooling
  /** Most pixels of a picture, written into the preprocessor's config. Default: as in the base. */
  readonly maxPixels?: number
  /** Of the fresh projection. Default 0. */
  readonly seed?: number
  /** Replaces a model that stands at the target. Default: that is an error. */
  readonly replace?: boolean
}

/** What was written. */
export interface ComposeReport {
  readonly target: string
  readonly parameters: { readonly base: number; readonly ecg: number; readonly projection: number }
  /** Positions of an ECG. */
  readonly ecgTokens: number
  readonly timeSeriesTokenId: number
}

const prefix = 'time_series_embedding.'
const placeholder = '<|time_series_pad|>'

/**
 * Puts the paper's model together from its parts (section 3.1): a vision-language model, an ECG-JEPA encoder and a fresh linear
 * projection between them, in the release's format: all of it or nothing. Weights go through memory one at a time.
 *
 * @throws MODEL_MODALITY_UNSUPPORTED for a base that is no Qwen2.5-VL or has an ECG encoder already, MODEL_CONFIG_INVALID when its
 *   vocabulary has no row left for the placeholder, MODEL_OUTPUT_EXISTS, ENCODERS_ECG_TOKENS, and what opening the parts throws
 */
export async function composeModel(target: string, options: ComposeOptions): Promise<ComposeReport> {
  const opened = await openModel(options.base, { maxPixels: options.maxPixels })
  try {
    requireBase(opened.model)
    const source = await openTensorFile(options.ecg)
    try {
      return await compose(target, opened, source, options)
    } finally {
      await source.close()
    }
  } finally {
    await opened.close()
  }
}

function requireBase({ name, config }: PolicyModel): void {
  const modality = 'an ECG encoder'
  if (config.family !== 'qwen2_5_vl')
    throw modelErrors.MODALITY_UNSUPPORTED({
      modality,
      need: `${name} is of the family ${config.family}, not qwen2_5_vl`,
    })
  if (config.ecg) throw modelErrors.MODALITY_UNSUPPORTED({ modality, need: `${name} has one already` })
}

async function compose(
  target: string,
  opened: OpenModel,
  source: TensorSource,
  { base, ecgTokens = 'patches', seed = 0, replace = false }: ComposeOptions,
): Promise<ComposeReport> {
  const { model } = opened
  const ecg = ecgEncoderPlan(source)
  const tokens = pooledTokens(ecg.sizes, ecgTokens)
  const specs = ecgEncoderParameterSpecs(ecg.sizes, model.config.decoder.hiddenSize)
  const { documents, id } = composedDocuments(model, { base, ecg, ecgTokens })
  const composed = createPolicyModel({
    name: model.name,
    config: {
      ...model.config,
      ecg: { encoder: ecg.sizes, pooling: ecgTokens, isExplicit: true },
      tokenIds: { ...model.config.tokenIds, timeSeries: id },
    },
    tokenizer: createTokenizer(documents.get('tokenizer.json')!), // the base's, just written
    documents,
    stored: opened.stored,
  })
  const readWeight = async (name: string): Promise<Float32Array> => {
    if (!name.startsWith(prefix)) return opened.readWeight(name)
    const own = ecg.plan.get(name.slice(`${prefix}encoder.`.length))
    return own ? source.readFloat32(own.storedName) : fresh(specs, name, seed)
  }
  await writeModelFolder(target, composed, readWeight, { mayReplace: replace })
  return { target, parameters: counts(model.parameters, specs), ecgTokens: tokens, timeSeriesTokenId: id }
}

/** The projection has learned nothing yet. */
function fresh(specs: readonly ParameterSpec[], name: string, seed: number): Float32Array {
  const at = specs.findIndex(spec => spec.name === name)
  return initialValues(specs[at]!, counterStream(seed, at)) // a parameter of the encoder
}

function counts(base: readonly ParameterSpec[], own: readonly ParameterSpec[]): ComposeReport['parameters'] {
  const [encoder, projection] = [own.filter(spec => !isProjection(spec)), own.filter(isProjection)]
  return { base: count(base), ecg: count(encoder), projection: count(projection) }
}

function count(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

function isProjection({ name }: ParameterSpec): boolean {
  return name.startsWith(`${prefix}linear.`)
}

interface DocumentChanges {
  readonly base: string
  readonly ecg: EcgEncoderPlan
  readonly ecgTokens: EcgPooling
}

/** The base's small files with what the ECG part adds; the index of its shards no longer holds. */
function composedDocuments(
  model: PolicyModel,
  { base, ecg, ecgTokens }: DocumentChanges,
): { documents: ModelDocuments; id: number } {
  const documents = new Map(model.documents)
  documents.delete('model.safetensors.index.json')
  const change = (name: DocumentName, to: (json: Record<string, unknown>) => Record<string, unknown>): void => {
    const text = documents.get(name)
    const fail = (problem: string): Error => modelErrors.FOLDER_INVALID({ folder: base, problem: `${name} ${problem}` })
    if (text !== undefined) documents.set(name, `${JSON.stringify(to(parseObject(text, fail)), undefined, 2)}\n`)
  }
  const id = placeholderId(model, join(base, 'config.json'))
  change('config.json', json => ({
    ...json,
    architectures: ['TimeSeriesQwen2_5_VLForConditionalGeneration'],
    ecg_config: { ...writeEcgJepaConfig(ecg.sizes), tokens: ecgTokens },
    time_series_token_id: id,
  }))
  if (model.tokenizer.idOf(placeholder) === undefined) {
    const token = { content: placeholder, single_word: false, lstrip: false, rstrip: false, normalized: false }
    change('tokenizer.json', json => ({
      ...json,
      added_tokens: [...(json['added_tokens'] as unknown[]), { id, ...token, special: true }], // the tokenizer was read from it
    }))
    change('tokenizer_config.json', ({ added_tokens_decoder: added, ...json }) => ({
      ...json,
      ...(typeof added === 'object' && { added_tokens_decoder: { ...added, [id]: { ...token, special: true } } }),
    }))
  }
  if (!model.chatTemplate.includes(placeholder)) documents.set('chat_template.jinja', defaultChatTemplate)
  return { documents, id }
}

/** The placeholder's own id, or the first behind those of the tokenizer; it needs a row of the embedding. */
function placeholderId({ tokenizer, config }: PolicyModel, file: string): number {
  const id = tokenizer.idOf(placeholder) ?? tokenizer.vocabSize
  const { vocabSize } = config.decoder
  if (id < vocabSize) return id
  throw modelErrors.CONFIG_INVALID({
    file,
    field: 'vocab_size',
    problem: `is ${vocabSize}; no row is left for ${placeholder}`,
  })
}
