import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sizeOf } from '@qoq-med/tensor'
import type { WeightPlan } from './read-weights.ts'
import { dtypeBytes, type SafetensorsDtype } from './safetensors-header.ts'
import { writeSafetensors, type TensorToWrite } from './safetensors-writer.ts'

/** A weight by its name here, with its values. */
export interface NamedWeight {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** How weights are written. */
export interface WriteWeightsOptions {
  /** Element type of the files. Default: as in `plan`, else F32. */
  readonly dtype?: 'F32' | 'F16' | 'BF16'
  /** Names, element types and files of the checkpoint that the model came from; new ones where absent. */
  readonly plan?: WeightPlan
  /** Bytes per file before another is begun. Default 5 GB, as transformers does. */
  readonly maxShardBytes?: number
}

/** Writes `model.safetensors`, or shards and their index, into an existing folder. */
export async function writeWeights(
  folder: string,
  weights: readonly NamedWeight[],
  { dtype, plan, maxShardBytes = 5e9 }: WriteWeightsOptions = {},
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
  const shards = tensors.every(tensor => tensor.file !== undefined)
    ? Map.groupBy(tensors, tensor => tensor.file!) // just checked
    : sizedShards(tensors, maxShardBytes)
  for (const [file, group] of shards) await writeSafetensors(join(folder, file), group)
  if (shards.size > 1) await writeFile(join(folder, 'model.safetensors.index.json'), indexText(shards))
}

type Tensor = TensorToWrite & { readonly dtype: SafetensorsDtype }

function writableDtype(dtype: string | undefined): 'F32' | 'F16' | 'BF16' {
  return dtype === 'F16' || dtype === 'BF16' ? dtype : 'F32'
}

function sizedShards(tensors: readonly Tensor[], maxBytes: number): Map<string, Tensor[]> {
  const groups: Tensor[][] = [[]]
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

function indexText(shards: ReadonlyMap<string, readonly Tensor[]>): string {
  const entries = Array.from(shards).flatMap(([file, group]) => group.map(({ name }) => [name, file] as const))
  const tensors = [...shards.values()].flat()
  const metadata = {
    total_parameters: tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    total_size: tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  }
  const weightMap = Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return `${JSON.stringify({ metadata, weight_map: weightMap }, null, 2)}\n`
}

function bytesOf({ shape, dtype }: Tensor): number {
  return sizeOf(shape) * dtypeBytes[dtype]
}
