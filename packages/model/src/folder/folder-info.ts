import { sizeOf } from '@qoq-med/tensor'
import type { ModelConfig } from '../checkpoint/model-config.ts'
import { planMemory, type MemoryPlan } from './memory-plan.ts'
import { memoryNeeds, type MemoryNeeds } from './memory-needs.ts'
import { openModel, type OpenModel } from './open-model.ts'

/** What `qoq model info` shows of a model folder. */
export interface FolderInfo {
  readonly name: string
  readonly family: string
  readonly config: ModelConfig
  /** Parameters in all, and of each part. */
  readonly parameters: {
    readonly total: number
    readonly decoder: number
    readonly vision: number
    readonly ecg: number
  }
  /** Parameters by the element type that they are stored in. */
  readonly dtypes: Readonly<Record<string, number>>
  /** Tokens of the tokenizer, absent where the folder has none. */
  readonly tokenizerSize?: number
  /** What answering takes at most with 2,048 tokens of context, by how weights are kept. */
  readonly answering: readonly MemoryPlan[]
  /** What it takes in memory, in bytes. */
  readonly memoryBytes: MemoryNeeds & {
    /** Cached keys and values of one sequence, per token. */
    readonly cachePerToken: number
  }
}

/** Describes a model folder or a GGUF file from its headers; no weight is read. @throws as `openModel` */
export async function folderInfo(folder: string): Promise<FolderInfo> {
  const opened = await openModel(folder)
  await opened.close()
  const { model } = opened
  const { config, parameters } = model
  const count = (isWanted: (name: string) => boolean): number =>
    parameters.filter(({ name }) => isWanted(name)).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const total = count(() => true)
  const vision = count(name => name.startsWith('visual.'))
  const ecg = count(name => name.startsWith('time_series_embedding.'))
  const dtypes: Record<string, number> = {}
  for (const { dtype, shape } of opened.stored.values()) dtypes[dtype] = (dtypes[dtype] ?? 0) + sizeOf(shape)
  const { numLayers, numKvHeads, headDim } = config.decoder
  return {
    name: model.name,
    family: config.family,
    config,
    parameters: { total, decoder: total - vision - ecg, vision, ecg },
    dtypes,
    ...(model.hasTokenizer && { tokenizerSize: model.tokenizer.vocabSize }),
    answering: answeringPlans(opened),
    memoryBytes: { ...memoryNeeds(total), cachePerToken: 4 * 2 * numLayers * numKvHeads * headDim },
  }
}

function answeringPlans({ model, stored }: OpenModel): MemoryPlan[] {
  const isCoded = [...stored.values()].some(({ dtype }) => /^Q\d/.test(dtype))
  const types = [...(isCoded ? (['stored'] as const) : []), 'int4', 'int8', 'bfloat16', 'float32'] as const
  const source = { config: model.config, parameters: model.parameters, stored }
  return types.map(weightsType => planMemory(source, { weightsType }))
}
