import { basename, join, resolve } from 'node:path'
import { defaultImageProcessor } from '@qoq-med/encoders'
import { openCheckpoint } from '../checkpoint/checkpoint-files.ts'
import { openGguf, type GgufFile } from '../checkpoint/gguf-source.ts'
import { findMmproj, readMmproj, type Mmproj } from '../checkpoint/mmproj.ts'
import type { StoredCodes } from '../checkpoint/gguf-codes.ts'
import { generationConfig } from './generation-config.ts'
import { modelConfig, type ModelConfig } from '../checkpoint/model-config.ts'
import { parsedDocument, readDocuments, type DocumentName, type ModelDocuments } from '../checkpoint/model-documents.ts'
import { templateConfig } from './template-config.ts'
import { imageProcessorConfig } from '../checkpoint/preprocessor-config.ts'
import { planWeights, readWeight, readWeightRows, readWeights, type WeightPlan } from '../checkpoint/read-weights.ts'
import { bothSources, type TensorSource } from '../checkpoint/tensor-source.ts'
import { modelErrors } from '../errors.ts'
import type { MropeRule } from '../architectures/qwen2.5-vl/positions.ts'
import { createTokenizer } from '../tokenizer/tokenizer.ts'
import { withMaxPixels } from './max-pixels.ts'
import { withEcgSizes } from './ecg-sizes.ts'
import { ggufModelParts, type GgufModelParts } from './gguf-model.ts'
import {
  createPolicyModel,
  policyParameterSpecs,
  type PolicyModel,
  type PolicyModelOptions,
} from '../composition/policy-model.ts'

/** A model folder whose weights have been matched with its config but not read. */
export interface OpenModel {
  readonly model: PolicyModel
  /** How each weight is stored. */
  readonly stored: WeightPlan
  /**
   * Reads all weights as float32.
   *
   * @param target gives the array [size] that a weight is read into, such as a view of a parameter store
   */
  readWeights(target: (name: string) => Float32Array): Promise<void>
  /** Reads one weight as float32. */
  readonly readWeight: (name: string) => Promise<Float32Array>
  /** Reads rows of a weight as float32, from row `start` on, into `target` [rows * size of a row]. */
  readonly readRows: (name: string, start: number, target: Float32Array) => Promise<void>
  /** Reads rows of a weight as the codes that it is stored in, where its type has them (`codedTypes`). */
  readonly readCodes: (name: string, start: number, rows: number) => Promise<StoredCodes>
  /** Paths of the files that hold the weights. */
  readonly files: readonly string[]
  close(): Promise<void>
}

/** Options of `openModel`. */
export interface OpenModelOptions {
  /** How positions go on after a video. Default `legacy`, as the paper's model. */
  readonly mropeRule?: MropeRule
  /** Most pixels of a picture, in place of what the checkpoint says; written with the model. */
  readonly maxPixels?: number | undefined
}

/**
 * Opens a Hugging Face folder (config.json, tokenizer.json, safetensors, …) or a GGUF file, and checks that its weights are
 * those of its config.
 *
 * @throws MODEL_FOLDER_INVALID, MODEL_CONFIG_INVALID, MODEL_CONFIG_UNSUPPORTED, MODEL_TOKENIZER_INVALID,
 *   MODEL_SAFETENSORS_INVALID, MODEL_GGUF_INVALID, MODEL_TENSOR_MISSING, MODEL_TENSOR_UNEXPECTED, MODEL_TENSOR_SHAPE, ENCODERS_CONFIG
 */
export async function openModel(folder: string, options: OpenModelOptions = {}): Promise<OpenModel> {
  const { mropeRule = 'legacy' } = options
  if (folder.endsWith('.gguf')) return openGgufModel(folder, options)
  const documents = await readDocuments(folder)
  const written = modelConfig(parsedDocument(documents, 'config.json', folder), join(folder, 'config.json'))
  const source = await openCheckpoint(folder)
  try {
    const config = withEcgSizes(written, source)
    const stored = planWeights(source, policyParameterSpecs(config))
    return {
      model: createPolicyModel({
        name: basename(resolve(folder)),
        config,
        stored,
        mropeRule,
        ...limited(parts(documents, folder), config, options, folder),
      }),
      stored,
      readWeights: target => readWeights(source, stored, target),
      readWeight: name => readWeight(source, stored, name),
      readRows: (name, start, target) => readWeightRows(source, stored, name, { start, target }),
      readCodes: codesOf(source, stored),
      files: [...new Set(Array.from(source.tensors.values(), ({ file }) => file))].map(file => join(folder, file!)), // a folder's tensors say theirs
      close: () => source.close(),
    }
  } catch (error) {
    await source.close()
    throw error
  }
}

/** A GGUF file holds weights, sizes, tokenizer and chat template in one; a vision tower lies in a file beside it. */
async function openGgufModel(path: string, options: OpenModelOptions): Promise<OpenModel> {
  const { mropeRule = 'legacy' } = options
  const files = [await openGguf(path)]
  const close = async (): Promise<void> => {
    await Promise.all(files.map(file => file.close()))
  }
  try {
    const [file] = files as [GgufFile] // just opened
    const described = ggufModelParts(file)
    const language = file.source(described.config.decoder)
    const tower = described.isMultimodal ? await findMmproj(path) : undefined
    if (tower !== undefined) files.push(await openGguf(tower))
    const mmproj = files[1] && readMmproj(files[1])
    const source = mmproj ? bothSources(language, mmproj.source) : language
    const { config, imageProcessor } = withTower(described, mmproj, path)
    const plan = planWeights(source, policyParameterSpecs(config))
    return {
      model: createPolicyModel({
        name: basename(path, '.gguf'),
        mropeRule,
        ...described,
        config,
        ...limited({ imageProcessor }, config, options, path),
      }),
      stored: plan,
      readWeights: target => readWeights(source, plan, target),
      readWeight: name => readWeight(source, plan, name),
      readRows: (name, start, target) => readWeightRows(source, plan, name, { start, target }),
      readCodes: codesOf(source, plan),
      files: files.map(each => each.path),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A language model with its tower, which must fit it. */
function withTower(
  { config, tokenizer }: GgufModelParts,
  mmproj: Mmproj | undefined,
  file: string,
): Pick<PolicyModelOptions, 'config' | 'imageProcessor'> {
  if (!mmproj) return { config }
  const { vision, imageProcessor } = mmproj
  if (vision.outHiddenSize !== config.decoder.hiddenSize) {
    const problem = `is ${config.decoder.hiddenSize}; the tower beside it gives ${vision.outHiddenSize}`
    throw modelErrors.CONFIG_INVALID({ file, field: 'embedding_length', problem })
  }
  const tokenIds = {
    ...config.tokenIds,
    image: tokenizer.idOf('<|image_pad|>'),
    video: tokenizer.idOf('<|video_pad|>'),
    visionStart: tokenizer.idOf('<|vision_start|>'),
    visionEnd: tokenizer.idOf('<|vision_end|>'),
  }
  return { config: { ...config, family: 'qwen2_5_vl', vision, tokenIds }, imageProcessor }
}

/** Parts of a model that sees pictures, with another limit of their pixels where one is asked for. */
function limited<Its extends Partial<Parts>>(
  its: Its,
  { vision }: ModelConfig,
  { maxPixels }: OpenModelOptions,
  folder: string,
): Its {
  if (maxPixels === undefined) return its
  if (!vision) throw modelErrors.MODALITY_UNSUPPORTED({ modality: 'maxPixels', need: 'it has no vision tower' })
  const { patchSize, temporalPatchSize, spatialMergeSize: mergeSize } = vision
  const { documents = new Map() } = its
  const imageProcessor = its.imageProcessor ?? { ...defaultImageProcessor, patchSize, temporalPatchSize, mergeSize }
  return { ...its, ...withMaxPixels({ documents, imageProcessor }, maxPixels, folder) }
}

function codesOf(source: TensorSource, plan: WeightPlan): OpenModel['readCodes'] {
  return (name, start, rows) => source.readCodes!(plan.get(name)!.storedName, start, rows) // formats with such types have it
}

type Parts = Omit<PolicyModelOptions, 'name' | 'config' | 'stored' | 'mropeRule'>

/** What the small files of the folder say. */
function parts(documents: ModelDocuments, folder: string): Parts {
  const tokenizerText = documents.get('tokenizer.json')
  const [preprocessor, preprocessorFile] = preprocessorDocument(documents, folder)
  const { chatTemplate, tokens } = templateConfig(documents, folder)
  const generation = generationConfig(
    parsedDocument(documents, 'generation_config.json', folder) ?? {},
    join(folder, 'generation_config.json'),
  )
  return {
    documents,
    tokenizer: tokenizerText === undefined ? undefined : createTokenizer(tokenizerText, join(folder, 'tokenizer.json')),
    chatTemplate,
    templateTokens: tokens,
    ...generation,
    ...(preprocessor !== undefined && {
      imageProcessor: imageProcessorConfig(preprocessor, join(folder, preprocessorFile)),
    }),
  }
}

/** The image processor has its own file, or stands in processor_config.json, as transformers 5 writes it. */
function preprocessorDocument(documents: ModelDocuments, folder: string): [json: unknown, file: DocumentName] {
  const own = parsedDocument(documents, 'preprocessor_config.json', folder)
  if (own !== undefined) return [own, 'preprocessor_config.json']
  const processor = parsedDocument(documents, 'processor_config.json', folder)
  const nested = typeof processor === 'object' && processor !== null && 'image_processor' in processor
  return [nested ? processor.image_processor : undefined, 'processor_config.json']
}
