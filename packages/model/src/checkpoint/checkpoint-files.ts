import { access, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { modelErrors } from '../errors.ts'
import { parseObject } from './json-keys.ts'
import type { TensorEntry } from './safetensors-header.ts'
import { openSafetensors, type SafetensorsFile } from './safetensors-reader.ts'
import type { TensorSource } from './tensor-source.ts'
import { indexFile } from './write-weights.ts'

const singleFile = 'model.safetensors'

/**
 * Opens the weights of a Hugging Face folder: `model.safetensors`, or the shards that `model.safetensors.index.json`
 * names. Headers and index are checked; no tensor is read.
 *
 * @throws MODEL_FOLDER_INVALID, MODEL_SAFETENSORS_INVALID
 */
export async function openCheckpoint(folder: string): Promise<TensorSource> {
  if (await exists(join(folder, indexFile))) return openShards(folder)
  const path = join(folder, singleFile)
  if (!(await exists(path))) {
    throw modelErrors.FOLDER_INVALID({ folder, problem: `it has neither ${singleFile} nor ${indexFile}` })
  }
  return tensorSource(folder, [await openSafetensors(path)])
}

/** Opens one safetensors file by its path, as a source of tensors. @throws MODEL_SAFETENSORS_INVALID */
export async function openSafetensorsSource(path: string): Promise<TensorSource> {
  return tensorSource(path, [await openSafetensors(path)])
}

const Index = z.object({ weight_map: z.record(z.string(), z.string()) })

async function openShards(folder: string): Promise<TensorSource> {
  const weightMap = await readIndex(folder)
  const files: SafetensorsFile[] = []
  try {
    for (const name of new Set(Object.values(weightMap))) files.push(await openShard(folder, name))
    const source = tensorSource(folder, files)
    const absent = Object.keys(weightMap).find(name => !source.tensors.has(name))
    if (absent === undefined) return source
    throw modelErrors.FOLDER_INVALID({ folder, problem: `${indexFile} lists tensor ${absent}, which no shard has` })
  } catch (error) {
    await Promise.all(files.map(file => file.close()))
    throw error
  }
}

async function readIndex(folder: string): Promise<Record<string, string>> {
  const text = await readFile(join(folder, indexFile), 'utf8')
  const fail = (problem: string): Error => modelErrors.FOLDER_INVALID({ folder, problem: `${indexFile} ${problem}` })
  const parsed = Index.safeParse(parseObject(text, fail))
  if (!parsed.success) throw fail('has no valid weight_map')
  return parsed.data.weight_map
}

async function openShard(folder: string, name: string): Promise<SafetensorsFile> {
  // A path in the index could point anywhere on the disk: only plain names of this folder are opened.
  if (!/^[\w.-]+\.safetensors$/.test(name)) {
    throw modelErrors.FOLDER_INVALID({ folder, problem: `${indexFile} names the shard ${JSON.stringify(name)}` })
  }
  const path = join(folder, name)
  if (!(await exists(path))) throw modelErrors.FOLDER_INVALID({ folder, problem: `the shard ${name} is missing` })
  return openSafetensors(path)
}

function tensorSource(source: string, files: readonly SafetensorsFile[]): TensorSource {
  const owners = new Map<string, { file: SafetensorsFile; entry: TensorEntry }>()
  for (const file of files) {
    for (const entry of file.entries) {
      if (owners.has(entry.name)) {
        throw modelErrors.FOLDER_INVALID({ folder: source, problem: `two shards have tensor ${entry.name}` })
      }
      owners.set(entry.name, { file, entry })
    }
  }
  return {
    source,
    tensors: new Map(Array.from(owners, ([name, { file, entry }]) => [name, { ...entry, file: basename(file.path) }])),
    async readFloat32(name, target) {
      const owner = owners.get(name)
      if (owner === undefined) throw modelErrors.TENSOR_MISSING({ source, tensor: name, shape: [] })
      return owner.file.readFloat32(owner.entry, target)
    },
    async readRows(name, start, target) {
      const owner = owners.get(name)
      if (owner === undefined) throw modelErrors.TENSOR_MISSING({ source, tensor: name, shape: [] })
      const rowSize = owner.entry.shape.slice(1).reduce((size, length) => size * length, 1)
      await owner.file.readPart(owner.entry, start * rowSize, target)
    },
    close: async () => {
      await Promise.all(files.map(file => file.close()))
    },
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
