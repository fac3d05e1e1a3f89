import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSafetensors } from '../checkpoint/safetensors-reader.ts'
import { writeSafetensors, type TensorToWrite } from '../checkpoint/safetensors-writer.ts'
import { loadFrozenModel, loadModel } from './model-weights.ts'
import { testEcg, testImage, testModel } from '../composition/nano.testing.ts'
import { openModel } from './open-model.ts'
import { saveModel } from './save-model.ts'

const fixture = fileURLToPath(new URL('../../fixtures/qwen2_text_sharded_bf16', import.meta.url))
let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'model-folder-'))
})
afterAll(() => rm(root, { recursive: true }))

/** A copy of the fixture whose first shard has other tensors. */
async function changedFixture(change: (tensors: TensorToWrite[]) => TensorToWrite[]): Promise<string> {
  const folder = await mkdtemp(join(root, 'changed-'))
  await cp(fixture, folder, { recursive: true })
  const shard = join(folder, 'model-00001-of-00002.safetensors')
  const file = await openSafetensors(shard)
  const tensors: TensorToWrite[] = []
  for (const entry of file.entries) tensors.push({ ...entry, data: await file.readFloat32(entry) })
  await file.close()
  await writeSafetensors(shard, change(tensors))
  const weightMap: Record<string, string> = {}
  for (const name of ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']) {
    const each = await openSafetensors(join(folder, name))
    for (const entry of each.entries) weightMap[entry.name] = name
    await each.close()
  }
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }))
  return folder
}

async function writeConfig(change: (config: Record<string, unknown>) => object): Promise<string> {
  const folder = await mkdtemp(join(root, 'config-'))
  await cp(fixture, folder, { recursive: true })
  const config = JSON.parse(await readFile(join(fixture, 'config.json'), 'utf8')) as Record<string, unknown> // our own fixture
  await writeFile(join(folder, 'config.json'), JSON.stringify(change(config)))
  return folder
}

function withoutWeights(): Float32Array {
  throw new Error('no weights')
}

describe('saveModel', () => {
  test('gives a nano model back bit by bit', async () => {
    const { model, store } = testModel()
    const folder = join(root, 'nano')
    await saveModel(folder, model, name => store.weights(name))
    const loaded = await loadModel(folder)
    expect(loaded.model.config).toEqual(model.config)
    expect(loaded.model.imageProcessor).toEqual(model.imageProcessor)
    expect(loaded.model.endTokenIds).toEqual(model.endTokenIds)
    for (const { name } of model.parameters) expect(loaded.store.weights(name)).toEqual(store.weights(name))
    const content = [
      { type: 'image', image: testImage(60, 80) },
      { type: 'ecg', ecg: testEcg() },
    ] as const
    const messages = [{ role: 'user', content }] as const
    expect(loaded.model.encode(messages)).toEqual(model.encode(messages))
  })

  test('gives the same weights frozen', async () => {
    const { model, store } = await loadModel(fixture)
    const frozen = await loadFrozenModel(fixture)
    for (const { name } of model.parameters) expect(frozen.weights(name)).toEqual(store.weights(name))
  })

  test('writes a folder that it read with the same bytes, shards and all', async () => {
    const { model, store } = await loadModel(fixture)
    const folder = join(root, 'copy')
    await saveModel(folder, model, name => store.weights(name))
    const names = (await readdir(fixture)).toSorted()
    expect((await readdir(folder)).toSorted()).toEqual(names)
    const isEqual = async (name: string): Promise<boolean> =>
      (await readFile(join(folder, name))).equals(await readFile(join(fixture, name)))
    for (const name of names) expect([name, await isEqual(name)]).toEqual([name, true])
  })

  test('splits large models into shards that load again', async () => {
    const { model, store } = testModel()
    const folder = join(root, 'shards')
    await saveModel(folder, model, name => store.weights(name), { maxShardBytes: 1_000_000, dtype: 'BF16' })
    const shards = (await readdir(folder)).filter(name => name.endsWith('.safetensors'))
    expect(shards.length).toBeGreaterThan(1)
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as { torch_dtype: string } // written just now
    expect(config.torch_dtype).toBe('bfloat16')
    const loaded = await loadModel(folder)
    const [got, want] = [loaded, { store }].map(each => each.store.weights('model.layers.0.mlp.up_proj.weight')[0]!)
    expect(Math.abs(got! - want!)).toBeLessThan(Math.abs(want!) / 128)
  })

  test('replaces a model, and nothing else', async () => {
    const { model, store } = testModel()
    const folder = join(root, 'replaced')
    await saveModel(folder, model, name => store.weights(name))
    await saveModel(folder, model, name => store.weights(name))
    expect(await readdir(root)).not.toContainEqual(expect.stringMatching(/^\.replaced/))
    const other = join(root, 'other')
    await mkdir(other)
    await writeFile(join(other, 'thesis.txt'), 'years of work')
    const error = expect.objectContaining({ code: 'MODEL_OUTPUT_EXISTS' })
    await expect(saveModel(other, model, name => store.weights(name))).rejects.toThrow(error)
    expect(await readdir(other)).toEqual(['thesis.txt'])
  })

  test('leaves a folder that others may read as any other', async () => {
    const { model, store } = await loadModel(fixture)
    const [folder, plain] = [join(root, 'shared'), join(root, 'plain')]
    await saveModel(folder, model, name => store.weights(name))
    await mkdir(plain)
    const modes = await Promise.all([folder, plain].map(async path => (await stat(path)).mode))
    expect(modes[0]).toBe(modes[1])
  })

  test('leaves nothing behind when it fails', async () => {
    const { model } = testModel()
    await expect(saveModel(join(root, 'failed'), model, withoutWeights)).rejects.toThrow('no weights')
    expect(await readdir(root)).not.toContainEqual(expect.stringContaining('failed'))
  })
})

describe('openModel', () => {
  test.for([
    {
      name: 'a missing tensor',
      change: (tensors: TensorToWrite[]) => tensors.filter(each => each.name !== 'model.layers.0.mlp.up_proj.weight'),
      error: {
        code: 'MODEL_TENSOR_MISSING',
        message: expect.stringMatching(/model\.layers\.0\.mlp\.up_proj\.weight.*\[88, 48\]/),
      },
    },
    {
      name: 'a missing layer',
      change: (tensors: TensorToWrite[]) => tensors.filter(each => !each.name.startsWith('model.layers.1.')),
      error: { code: 'MODEL_TENSOR_MISSING', message: expect.stringMatching(/layers\.1\..*, and 11 more/) },
    },
    {
      name: 'a tensor of another shape',
      change: (tensors: TensorToWrite[]) =>
        tensors.map(each => (each.name === 'model.layers.0.mlp.up_proj.weight' ? { ...each, shape: [48, 88] } : each)),
      error: { code: 'MODEL_TENSOR_SHAPE', message: expect.stringMatching(/up_proj\.weight.*\[48, 88\].*\[88, 48\]/) },
    },
    {
      name: 'a tensor that nothing asks for',
      change: (tensors: TensorToWrite[]) =>
        tensors.map(each =>
          each.name.endsWith('0.mlp.up_proj.weight') ? { ...each, name: 'model.layers.0.mlp.up_prj.weight' } : each,
        ),
      error: {
        code: 'MODEL_TENSOR_UNEXPECTED',
        message: expect.stringMatching(/up_prj.*nearest known name is .*up_proj/),
      },
    },
  ])('names $name', async ({ change, error }) => {
    await expect(openModel(await changedFixture(change))).rejects.toThrow(expect.objectContaining(error))
  })

  test('loads tensors under the prefixes of newer and older checkpoints', async () => {
    const folder = await changedFixture(tensors =>
      tensors.map(each => ({ ...each, name: each.name.replace('model.', 'model.language_model.') })),
    )
    const [renamed, original] = [await loadModel(folder), await loadModel(fixture)]
    for (const { name } of original.model.parameters)
      expect(renamed.store.weights(name)).toEqual(original.store.weights(name))
  })

  test.for([
    { name: 'an unknown family', change: { model_type: 'mamba' }, code: 'MODEL_CONFIG_UNSUPPORTED' },
    { name: 'another activation', change: { hidden_act: 'gelu' }, code: 'MODEL_CONFIG_UNSUPPORTED' },
    { name: 'sliding windows', change: { use_sliding_window: true }, code: 'MODEL_CONFIG_UNSUPPORTED' },
    {
      name: 'stretched positions',
      change: { rope_parameters: { rope_type: 'yarn' } },
      code: 'MODEL_CONFIG_UNSUPPORTED',
    },
    { name: 'a missing size', change: { hidden_size: undefined }, code: 'MODEL_CONFIG_INVALID' },
    { name: 'a negative size', change: { num_hidden_layers: -1 }, code: 'MODEL_CONFIG_INVALID' },
    { name: 'a huge size', change: { vocab_size: 1e12 }, code: 'MODEL_CONFIG_INVALID' },
    { name: 'heads that do not divide', change: { num_key_value_heads: 2 }, code: 'MODEL_CONFIG_INVALID' },
    { name: 'an odd head dimension', change: { head_dim: 15 }, code: 'MODEL_CONFIG_INVALID' },
    {
      name: 'sections that do not sum',
      change: { rope_parameters: { mrope_section: [1, 1, 1] } },
      code: 'MODEL_CONFIG_INVALID',
    },
    { name: 'a vision tower of another width', change: { model_type: 'qwen2_5_vl' }, code: 'MODEL_CONFIG_INVALID' },
  ])('refuses a config with $name', async ({ change, code }) => {
    const folder = await writeConfig(config => ({ ...config, ...change }))
    await expect(openModel(folder)).rejects.toThrow(expect.objectContaining({ code }))
  })

  test.for([
    { name: 'no config', broken: 'config.json', text: undefined },
    { name: 'a config that is no JSON', broken: 'config.json', text: '{' },
    { name: 'a missing shard', broken: 'model-00002-of-00002.safetensors', text: undefined },
    { name: 'an index without a map', broken: 'model.safetensors.index.json', text: '{}' },
    {
      name: 'an index that leaves the folder',
      broken: 'model.safetensors.index.json',
      text: '{"weight_map":{"a":"../model-00001-of-00002.safetensors"}}',
    },
    {
      name: 'an index with a tensor that no shard has',
      broken: 'model.safetensors.index.json',
      text: '{"weight_map":{"a":"model-00001-of-00002.safetensors"}}',
    },
  ])('refuses a folder with $name', async ({ broken, text }) => {
    const folder = await mkdtemp(join(root, 'broken-'))
    await cp(fixture, folder, { recursive: true })
    await rm(join(folder, broken))
    if (text !== undefined) await writeFile(join(folder, broken), text)
    await expect(openModel(folder)).rejects.toThrow(expect.objectContaining({ code: 'MODEL_FOLDER_INVALID' }))
  })

  test('refuses a folder without weights', async () => {
    const folder = await mkdtemp(join(root, 'empty-'))
    await cp(join(fixture, 'config.json'), join(folder, 'config.json'))
    await expect(openModel(folder)).rejects.toThrow(expect.objectContaining({ code: 'MODEL_FOLDER_INVALID' }))
  })
})
