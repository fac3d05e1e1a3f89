import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCheckpoint, openSafetensorsSource } from '../src/checkpoint/checkpoint-files.ts'
import { ggufMetadata, tensorsOfFixture } from '../src/checkpoint/gguf-model.testing.ts'
import { ggufBytes } from '../src/checkpoint/gguf.testing.ts'
import { float16ToFloat32, float32ToFloat16 } from '@qoq-med/tensor'
import { openPth } from '../src/checkpoint/pth-source.ts'
import { writeSafetensors } from '../src/checkpoint/safetensors-writer.ts'
import type { TensorSource } from '../src/checkpoint/tensor-source.ts'
import { loadAdapter } from '../src/lora/adapter-folder.ts'
import { mergedWeights } from '../src/lora/merged-weights.ts'
import { checkpointInfo } from '../src/folder/checkpoint-info.ts'
import { convertModel } from '../src/folder/convert-model.ts'
import { folderInfo } from '../src/folder/folder-info.ts'
import { loadModel } from '../src/folder/model-weights.ts'
import { missingOracles, oracleFile } from './oracle-folder.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
const bases = ['qwen2_text_sharded_bf16', 'qwen25vl_tiny_hub_sharded_bf16']

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'convert-'))
})
afterAll(() => rm(root, { recursive: true }))
const fresh = async (name = 'to'): Promise<string> => join(await mkdtemp(join(root, 'case-')), name)

/** A file's bytes, none when it is not there. */
function bytesOf(folder: string, name: string): Promise<Buffer> {
  return readFile(join(folder, name)).catch(() => Buffer.of())
}

async function jsonOf(folder: string, name: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(folder, name), 'utf8')) as Record<string, unknown> // our own files
}

/** Files whose bytes differ or that only one of two folders has. */
async function differences(a: string, b: string): Promise<string[]> {
  const names = new Set([...(await readdir(a)), ...(await readdir(b))])
  const pairs = [...names].map(async name => ({
    name,
    isEqual: (await bytesOf(a, name)).equals(await bytesOf(b, name)),
  }))
  return (await Promise.all(pairs)).filter(({ isEqual }) => !isEqual).map(({ name }) => name)
}

/** Every tensor of a source as float32, by name. */
async function valuesOf(source: TensorSource): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>()
  for (const name of source.tensors.keys()) values.set(name, await source.readFloat32(name))
  await source.close()
  return values
}

describe('convertModel', () => {
  test.for(bases)('copies %s to the byte, and back from F32', async name => {
    const [copy, wide, back] = [await fresh(), await fresh(), await fresh()]
    await convertModel(fixture(name), copy)
    expect(await differences(copy, fixture(name))).toEqual([])
    await convertModel(fixture(name), wide, { dtype: 'F32' })
    expect((await folderInfo(wide)).dtypes).toEqual({ F32: expect.any(Number) })
    await convertModel(wide, back, { dtype: 'BF16' })
    const changed = await differences(back, fixture(name))
    expect(changed.filter(file => !file.endsWith('.json'))).toEqual([])
    // Config and index say the element type and its bytes, and are written anew.
    for (const file of changed) {
      const [got, want] = await Promise.all([back, fixture(name)].map(folder => jsonOf(folder, file)))
      expect(got).toMatchObject(want!)
    }
  })

  test('splits into shards of a size and joins them again, to the bit', async () => {
    const [shards, one] = [await fresh(), await fresh()]
    await convertModel(fixture(bases[1]!), shards, { maxShardBytes: 60_000 })
    const files = (await readdir(shards)).filter(name => name.endsWith('.safetensors'))
    expect(files.length).toBeGreaterThan(4)
    await convertModel(shards, one, { maxShardBytes: 5e9 })
    expect((await readdir(one)).filter(name => name.includes('safetensors'))).toEqual(['model.safetensors'])
    expect(await valuesOf(await openCheckpoint(one))).toEqual(await valuesOf(await openCheckpoint(fixture(bases[1]!))))
  })

  test('rounds to F16 to the nearest', async () => {
    const to = await fresh()
    await convertModel(fixture(bases[0]!), to, { dtype: 'F16' })
    const [got, want] = [
      await valuesOf(await openCheckpoint(to)),
      await valuesOf(await openCheckpoint(fixture(bases[0]!))),
    ]
    for (const [name, values] of want)
      expect(got.get(name)).toEqual(values.map(value => float16ToFloat32(float32ToFloat16(value))))
    expect((await folderInfo(to)).dtypes).toEqual({ F16: expect.any(Number) })
  })

  test('makes a model folder of a GGUF file, with its tokenizer', async () => {
    const { tensors, weights, names } = await tensorsOfFixture()
    const [file, to] = [await fresh('model.gguf'), await fresh()]
    await writeFile(file, ggufBytes(ggufMetadata, tensors))
    const report = await convertModel(file, to)
    expect(report).toMatchObject({ target: to, tensors: names.length })
    const [{ model, store }, gguf] = [await loadModel(to), await loadModel(file)]
    for (const name of names) expect(store.weights(name)).toEqual(weights(name))
    const { isExplicit: _, ...config } = { isExplicit: true, ...model.config.decoder }
    expect(config).toEqual(gguf.model.config.decoder)
    expect(model.endTokenIds).toEqual(gguf.model.endTokenIds)
    const messages = [{ role: 'user', content: 'abb' }] as const
    expect(model.encode(messages)).toEqual(gguf.model.encode(messages))
  })

  test('merges an adapter', async () => {
    const to = await fresh()
    await convertModel(fixture(bases[0]!), to, { dtype: 'F32', adapter: fixture('lora/text') })
    const { model, store } = await loadModel(fixture(bases[0]!))
    const adapter = await loadAdapter(fixture('lora/text'), model)
    const merged = mergedWeights(adapter.adapters, name =>
      name.includes('.lora_') ? adapter.weights(name) : store.weights(name),
    )
    const got = await loadModel(to)
    for (const { name } of model.parameters) expect(got.store.weights(name)).toEqual(merged.weights(name))
  })

  test('leaves nothing behind when a value does not fit its type', async () => {
    const [from, to] = [await fresh(), await fresh()]
    await mkdir(from)
    for (const name of await readdir(fixture(bases[0]!)))
      await copyFile(join(fixture(bases[0]!), name), join(from, name))
    const values = await valuesOf(await openCheckpoint(from))
    await rm(join(from, 'model.safetensors.index.json'))
    values.get('model.norm.weight')![3] = 70_000
    const { model } = await loadModel(fixture(bases[0]!))
    const shapes = new Map(model.parameters.map(({ name, shape }) => [name, shape]))
    await writeSafetensors(
      join(from, 'model.safetensors'),
      Array.from(values, ([name, data]) => ({ name, shape: shapes.get(name)!, data })),
    )
    const error = { code: 'MODEL_VALUE_RANGE', message: expect.stringMatching(/model\.norm\.weight.*70000.*F16/) }
    await expect(convertModel(from, to, { dtype: 'F16' })).rejects.toThrow(expect.objectContaining(error))
    expect(await readdir(join(to, '..'))).toEqual([])
    await convertModel(from, to, { dtype: 'BF16' })
  })

  test('replaces what is there only where told to', async () => {
    const to = await fresh()
    await convertModel(fixture(bases[0]!), to)
    const error = expect.objectContaining({ code: 'MODEL_OUTPUT_EXISTS' })
    await expect(convertModel(fixture(bases[0]!), to, { dtype: 'F32' })).rejects.toThrow(error)
    expect(await differences(to, fixture(bases[0]!))).toEqual([])
    await convertModel(fixture(bases[0]!), to, { dtype: 'F32', replace: true })
    expect(await differences(to, fixture(bases[0]!))).toContain('config.json')
    expect(await readdir(join(to, '..'))).toEqual(['to'])
  })

  test.for([
    { source: bases[0]!, target: 'model.gguf', says: 'a folder' },
    { source: bases[0]!, target: 'model.safetensors', says: 'a folder' },
    { source: 'cases.safetensors', target: 'folder', says: '*.safetensors' },
  ])('refuses to write $source as $target', async ({ source, target, says }) => {
    const error = { code: 'MODEL_CONVERT_TARGET', message: expect.stringContaining(says) }
    await expect(convertModel(fixture(source), await fresh(target))).rejects.toThrow(expect.objectContaining(error))
    await expect(convertModel(fixture(source), fixture(source))).rejects.toThrow(
      expect.objectContaining({ code: error.code }),
    )
  })
})

const reason = missingOracles ? `: ${missingOracles}` : ''
describe.skipIf(missingOracles)(`a bare ECG-JEPA checkpoint${reason}`, () => {
  const pth = oracleFile('ecg/ecgjepa_tiny_encoder.pth')

  test('becomes safetensors with the same names and bits, and stays so', async () => {
    const [file, again] = [await fresh('jepa.safetensors'), await fresh('jepa.safetensors')]
    await convertModel(pth, file)
    await convertModel(file, again)
    expect((await readFile(again)).equals(await readFile(file))).toBe(true)
    expect(await valuesOf(await openSafetensorsSource(file))).toEqual(await valuesOf(await openPth(pth)))
    await expect(convertModel(pth, file)).rejects.toThrow(expect.objectContaining({ code: 'MODEL_OUTPUT_EXISTS' }))
  })

  test('is described by its tensors', async () => {
    const info = await checkpointInfo(pth)
    expect(info).toMatchObject({
      family: 'ecg_jepa',
      encoder: { embedDim: 32, depth: 2, numHeads: 4, patchSize: 50, numPatches: 50 },
    })
    expect(info.parameters.total).toBe(info.parameters.encoder)
    expect(info.dtypes).toEqual({ F32: info.parameters.total })
    expect(info.memoryBytes).toEqual({ weights: 4 * info.parameters.total, training: 16 * info.parameters.total })
  })
})
