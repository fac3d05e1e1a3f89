import { basename } from 'node:path'
import { ecgJepaParameterSpecs, type EcgJepaConfig } from '@qoq-med/encoders'
import { sizeOf } from '@qoq-med/tensor'
import { openTensorFile } from '../checkpoint/tensor-file.ts'
import { ecgEncoderPrefix, inferEcgJepa } from './ecg-sizes.ts'
import { memoryNeeds, type MemoryNeeds } from './memory-needs.ts'

/** What `qoq model info` shows of a bare file of tensors: PyTorch's .pth and .pt, or safetensors. */
export interface CheckpointInfo {
  readonly name: string
  /** `ecg_jepa` where the file holds such an encoder. */
  readonly family: 'ecg_jepa' | 'unknown'
  /** Sizes of the encoder, from its tensors. */
  readonly encoder?: EcgJepaConfig
  readonly tensors: number
  readonly parameters: { readonly total: number; readonly encoder: number }
  /** Elements by the type that they are stored in. */
  readonly dtypes: Readonly<Record<string, number>>
  readonly memoryBytes: MemoryNeeds
}

/** Tells whether a path is that of a bare file of tensors. */
export function isTensorFile(path: string): boolean {
  return /\.(pth|pt|safetensors)$/i.test(path)
}

/** Describes a bare file of tensors from its headers. @throws MODEL_PTH_INVALID, MODEL_SAFETENSORS_INVALID */
export async function checkpointInfo(path: string): Promise<CheckpointInfo> {
  const source = await openTensorFile(path)
  await source.close()
  const shapes = new Map(Array.from(source.tensors, ([name, { shape }]) => [name, shape]))
  const prefix = ecgEncoderPrefix(shapes)
  const encoder = prefix === undefined ? undefined : inferEcgJepa(shapes, prefix)
  const dtypes: Record<string, number> = {}
  for (const { dtype, shape } of source.tensors.values()) dtypes[dtype] = (dtypes[dtype] ?? 0) + sizeOf(shape)
  const total = Object.values(dtypes).reduce((sum, size) => sum + size, 0)
  const own = encoder ? ecgJepaParameterSpecs(encoder).reduce((sum, { shape }) => sum + sizeOf(shape), 0) : 0
  return {
    name: basename(path),
    family: encoder ? 'ecg_jepa' : 'unknown',
    ...(encoder && { encoder }),
    tensors: source.tensors.size,
    parameters: { total, encoder: own },
    dtypes,
    memoryBytes: memoryNeeds(encoder ? own : total),
  }
}
