import type { Architecture } from '../decoder/architecture.ts'
import { llama } from './llama/llama.ts'
import { qwen25Vl } from './qwen2.5-vl/qwen2.5-vl.ts'
import { qwen2 } from './qwen2/qwen2.ts'

const table = [llama, qwen2, qwen25Vl] as const

/** Which family a checkpoint belongs to. */
export type ModelFamily = (typeof table)[number]['family']

/** Every architecture that is built: a new one is a folder and a row. */
export const architectures: readonly Architecture<ModelFamily>[] = table

/** `model_type` of config.json, of all. */
export const modelTypes: readonly string[] = architectures.flatMap(each => each.modelTypes)

/** `general.architecture` of GGUF, of all. */
export const ggufNames: readonly string[] = architectures.flatMap(each => each.ggufNames)

/** The architecture of a config.json's `model_type`. */
export function architectureOf(modelType: string): Architecture<ModelFamily> | undefined {
  return architectures.find(each => each.modelTypes.includes(modelType))
}

/** The architecture of a GGUF file's `general.architecture`. */
export function ggufArchitecture(name: string): Architecture<ModelFamily> | undefined {
  return architectures.find(each => each.ggufNames.includes(name))
}
