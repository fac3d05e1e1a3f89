import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sizeOf } from '@qoq-med/tensor'
import type { WeightPlan } from './read-weights.ts'
import { dtypeBytes } from './safetensors-header.ts'
import { writeSafetensors, type TensorToWrite } from './safetensors-writer.ts'

/** A weight by its name here, with its values or the way to them. */
export interface NamedWeight {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array | (() => Promise<Float32Array>)
}

/** How weights are written. */
export interface WriteWeightsOptions {
  /** Element type of the files. Default: as in `plan`, else F32. */
  readonly dtype?: FloatDtype
  /** Names, element types and files of the checkpoint that the model came from; new ones where absent. */
  readonly plan?: WeightPlan
  /** The index of that checkpoint's shards, kept as it is where files and types stay. */
  readonly index?: string | undefined
  /** Bytes per file before another is begun. Default: the files of `plan`, else 5 GB, as transformers does. */
  readonly maxShardBytes?: number
}

/** Name of the file that says which shard a tensor is in. */
export const indexFile = 'model.safetensors.index.json'

const defaultShardBytes = 5e9

/** Writes `model.safetensors`, or shards and their index, into an existing folder. */
export async function writeWeights(
  folder: string,
  weights: readonly NamedWeight[],
  { dtype, plan, index, maxShardBytes }: WriteWeightsOptions = {},
): Promise<void> {
  const tensors = weights.map(({ name, shape, data }) => {
    const stored = plan?.get(name)
    return {
      name: stored?.storedName ?? name,
      shape,
      data,
      dtype: dtype ?? writableDtype(stored?.dtype),
      file: stored?.file,
    }
  })
  const keepsFiles = maxShardBytes === undefined && tensors.every(tensor => tensor.file !== undefined)
  const shards = keepsFiles
    ? Map.groupBy(tensors, tensor => tensor.file!) // just checked
    : sizedShards(tensors, maxShardBytes ?? defaultShardBytes)
  for (const [file, group] of shards) await writeSafetensors(join(folder, file), group)
  if (shards.size === 1) return
  const kept = keepsFiles && dtype === undefined ? index : undefined
  await writeFile(join(folder, indexFile), kept ?? indexText(shards))
}

/** A tensor on its way into a file. */
type WritableTensor = TensorToWrite & { readonly dtype: FloatDtype }

/** Element types that weights are written in. */
export type FloatDtype = 'F32' | 'F16' | 'BF16'

/** The type that a weight is written in when none is asked for: its own, or F32 for one that is not written here. */
export function writableDtype(dtype: string | undefined): FloatDtype {
  return dtype === 'F16' || dtype === 'BF16' ? dtype : 'F32'
}

function sizedShards(tensors: readonly WritableTensor[], maxBytes: number): Map<string, WritableTensor[]> {
  const groups: WritableTensor[][] = [[]]
  let bytes = 0
  for (const tensor of tensors) {
    const size = bytesOf(tensor)
    if (bytes > 0 && bytes + size > maxBytes) {
      groups.push([])
      bytes = 0
    }
    groups.at(-1)!.push(tensor) // there is always one
    bytes += size
  }
  const nameOf = (i: number): string =>
    groups.length === 1 ? 'model.safetensors' : `model-${number(i + 1)}-of-${number(groups.length)}.safetensors`
  return new Map(groups.map((group, i) => [nameOf(i), group]))
}

function number(n: number): string {
  return String(n).padStart(5, '0')
}

function indexText(shards: ReadonlyMap<string, readonly WritableTensor[]>): string {
  const entries = Array.from(shards).flatMap(([file, group]) => group.map(({ name }) => [name, file] as const))
  const tensors = [...shards.values()].flat()
  const metadata = {
    total_parameters: tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    total_size: tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  }
  const weightMap = Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return `${JSON.stringify({ metadata, weight_map: weightMap }, null, 2)}\n`
}

function bytesOf({ shape, dtype }: WritableTensor): number {
  return sizeOf(shape) * dtypeBytes[dtype]
}
