import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { openSafetensorsSource } from '../checkpoint/checkpoint-files.ts'
import { planWeights, readWeights } from '../checkpoint/read-weights.ts'
import { writeSafetensors } from '../checkpoint/safetensors-writer.ts'
import type { TensorSource } from '../checkpoint/tensor-source.ts'
import { canonicalName } from '../checkpoint/weight-names.ts'
import { writeFolderAtomically } from '../checkpoint/write-folder.ts'
import { modelErrors } from '../errors.ts'
import type { PolicyModel } from '../composition/policy-model.ts'
import { loraAdapters, loraParameterSpecs, type LoraAdapters } from './lora-adapters.ts'

const configFile = 'adapter_config.json'
const weightsFile = 'adapter_model.safetensors'
/** PEFT wraps a model twice. */
const wrapper = 'base_model.model.'

/** What is written of adapters. */
export interface AdapterContent {
  readonly adapters: LoraAdapters
  /** A factor by its name (`loraParameterSpecs`). */
  readonly weights: (name: string) => Float32Array
  /** Folder or name of the model that the adapters belong to. */
  readonly baseModel: string
}

/**
 * Writes adapters as a folder that PEFT loads: adapter_config.json and adapter_model.safetensors, all of it or nothing.
 *
 * @throws MODEL_OUTPUT_EXISTS when the folder holds something else
 */
export async function saveAdapter(folder: string, model: PolicyModel, content: AdapterContent): Promise<void> {
  const { adapters, weights } = content
  const isNested = model.config.family === 'qwen2_5_vl'
  const tensors = loraParameterSpecs(adapters).map(({ name, shape }) => ({
    name: wrapper + moduleName(name, isNested),
    shape,
    data: weights(name),
  }))
  await writeFolderAtomically(
    folder,
    async temporary => {
      await writeFile(join(temporary, configFile), configText(content, isNested))
      await writeSafetensors(join(temporary, weightsFile), tensors)
    },
    configFile,
  )
}

/** The name in the classes of transformers 5, which nest text and vision; a checkpoint keeps the older names. */
function moduleName(name: string, isNested: boolean): string {
  if (!isNested || name.startsWith('time_series_embedding.')) return name
  return name.startsWith('visual.') ? `model.${name}` : name.replace(/^model\./, 'model.language_model.')
}

function configText({ adapters, baseModel }: AdapterContent, isNested: boolean): string {
  const { rank, alpha, dropout } = adapters.options
  const modules = [...adapters.targets.keys()].map(name => moduleName(name, isNested).replace(/\.weight$/, ''))
  const config = {
    base_model_name_or_path: baseModel,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: alpha,
    lora_dropout: dropout,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    target_modules: modules.toSorted(),
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: adapters.scale !== alpha / rank,
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

const absent = z.union([z.null(), z.literal(false), z.array(z.never()), z.record(z.string(), z.never())]).optional()
const AdapterJson = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.int().positive().max(65_536),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).max(0.999).default(0),
  bias: z.literal('none').default('none'),
  use_rslora: z.boolean().default(false),
  lora_bias: absent,
  use_dora: absent,
  use_qalora: absent,
  fan_in_fan_out: absent,
  modules_to_save: absent,
  rank_pattern: absent,
  alpha_pattern: absent,
  trainable_token_indices: absent,
})

/** Adapters read from a folder. */
export interface LoadedAdapter {
  readonly adapters: LoraAdapters
  /** A factor by its name. */
  readonly weights: (name: string) => Float32Array
}

/**
 * Reads adapters in PEFT's format. The layers are those that the file has factors for.
 *
 * @throws MODEL_ADAPTER_INVALID, MODEL_LORA_INVALID, MODEL_SAFETENSORS_INVALID, MODEL_TENSOR_MISSING, MODEL_TENSOR_UNEXPECTED,
 *   MODEL_TENSOR_SHAPE
 */
export async function loadAdapter(folder: string, model: PolicyModel): Promise<LoadedAdapter> {
  const config = await readConfig(folder)
  const source = unwrapped(
    await openSafetensorsSource(join(folder, weightsFile)).catch((cause: NodeJS.ErrnoException) => {
      throw cause.code === 'ENOENT' ? invalid(folder, `it has no ${weightsFile}`, cause) : cause
    }),
  )
  try {
    const targets = [...source.tensors.keys()]
      .map(name => canonicalName(name))
      .filter(name => name.endsWith('.lora_A.weight'))
    const found = loraAdapters(model.parameters, {
      rank: config.r,
      alpha: config.lora_alpha,
      dropout: config.lora_dropout,
      targets: targets.map(name => name.slice(0, -'.lora_A.weight'.length)),
    })
    const adapters = config.use_rslora ? { ...found, scale: config.lora_alpha / Math.sqrt(config.r) } : found
    const specs = loraParameterSpecs(adapters)
    const values = new Map(specs.map(({ name, shape }) => [name, new Float32Array(shape[0]! * shape[1]!)]))
    const weights = (name: string): Float32Array => values.get(name)! // every factor has one
    await readWeights(source, planWeights(source, specs), weights)
    return { adapters, weights }
  } finally {
    await source.close()
  }
}

async function readConfig(folder: string): Promise<z.output<typeof AdapterJson>> {
  const text = await readFile(join(folder, configFile), 'utf8').catch((cause: unknown) => {
    throw invalid(folder, `it has no ${configFile}`, cause)
  })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw invalid(folder, `${configFile} is not valid JSON`, cause)
  }
  const parsed = AdapterJson.safeParse(json)
  if (parsed.success) return parsed.data
  const field = parsed.error.issues[0]!.path.join('.') || 'the top level' // a failed parse has an issue
  throw invalid(folder, `${configFile} has a value of ${field} that is not read here`)
}

/** The same tensors without PEFT's prefix. */
function unwrapped(source: TensorSource): TensorSource {
  const twice = [...source.tensors.keys()].find(
    name => unwrappedName(name) !== name && source.tensors.has(unwrappedName(name)),
  )
  if (twice !== undefined) {
    const { shape } = source.tensors.get(twice)!
    throw modelErrors.TENSOR_UNEXPECTED({ source: source.source, tensor: twice, shape, nearest: unwrappedName(twice) })
  }
  const stored = new Map([...source.tensors.keys()].map(name => [unwrappedName(name), name]))
  return {
    ...source,
    tensors: new Map(Array.from(source.tensors, ([name, tensor]) => [unwrappedName(name), tensor])),
    readFloat32: (name, target) => source.readFloat32(stored.get(name) ?? name, target),
  }
}

function unwrappedName(name: string): string {
  return name.startsWith(wrapper) ? name.slice(wrapper.length) : name
}

function invalid(folder: string, problem: string, cause?: unknown): Error {
  return modelErrors.ADAPTER_INVALID({ folder, problem }, { cause })
}
