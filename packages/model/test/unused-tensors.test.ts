import { ecgJepaParameterSpecs, initialValues } from '@qoq-med/encoders'
import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import fc from 'fast-check'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ggufMetadata, tensorsOfFixture } from '../src/checkpoint/gguf-model.testing.ts'
import { ggufBytes } from '../src/checkpoint/gguf.testing.ts'
import { openSafetensorsSource } from '../src/checkpoint/checkpoint-files.ts'
import { writeSafetensors, type TensorToWrite } from '../src/checkpoint/safetensors-writer.ts'
import { unusedTensors } from '../src/checkpoint/weight-names.ts'
import { counterStream } from '../src/generation/counter-random.ts'
import { saveAdapter, loadAdapter } from '../src/lora/adapter-folder.ts'
import { initialFactors, loraAdapters } from '../src/lora/lora-adapters.ts'
import { unusedSections } from '../src/folder/ecg-encoder-plan.ts'
import { openModel } from '../src/folder/open-model.ts'
import { writeEcgEmbeddings } from '../src/arrays/write-ecg-embeddings.ts'
import { readCases } from './oracle-cases.ts'

const fixture = fileURLToPath(new URL('../fixtures/qwen2_text_sharded_bf16', import.meta.url))
const sizes = { embedDim: 16, depth: 2, numHeads: 2, numLeads: 8, patchSize: 5, numPatches: 4 }
const sizesJson = { encoder_embed_dim: 16, encoder_depth: 2, encoder_num_heads: 2, c: 8, p: 4, t: 5 }

let root: string
let executor: OrtExecutor
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'unused-'))
  executor = await createOrtExecutor()
})
afterAll(async () => {
  await executor.close()
  await rm(root, { recursive: true })
})

const scalar = (name: string): TensorToWrite => ({ name, shape: [1], data: Float32Array.of(1) })

async function tensorsOf(path: string): Promise<TensorToWrite[]> {
  const source = await openSafetensorsSource(path)
  const tensors: TensorToWrite[] = []
  for (const [name, { shape }] of source.tensors) tensors.push({ name, shape, data: await source.readFloat32(name) })
  await source.close()
  return tensors
}

/** An ECG-JEPA encoder of random weights, as the official code names them. */
function encoderTensors(): TensorToWrite[] {
  return ecgJepaParameterSpecs(sizes).map((spec, i) => ({
    name: `encoder.${spec.name}`,
    shape: spec.shape,
    data: initialValues(spec, counterStream(5, i)),
  }))
}

async function embedded(tensors: readonly TensorToWrite[], config?: Record<string, unknown>): Promise<Float32Array> {
  const [checkpoint, inputs, out] = ['ecg', 'inputs', 'out'].map(name => join(root, `${name}.safetensors`)) as [
    string,
    string,
    string,
  ] // three in
  await writeSafetensors(checkpoint, tensors)
  const signal = Float32Array.from({ length: 8 * 20 }, (_, i) => Math.sin(i))
  await writeSafetensors(inputs, [{ name: 'ecg', shape: [1, 8, 20], data: signal }])
  await writeEcgEmbeddings(executor, { checkpoint, inputs, out, ...(config && { config }) })
  return (await readCases(out)).float32('ecg_embeds')
}

/** Ways to read weights, each with one more tensor. */
const loaders: Record<string, (extra: string) => Promise<unknown>> = {
  'a folder': async extra => {
    const folder = join(root, 'folder')
    await cp(fixture, folder, { recursive: true })
    const { weight_map: map } = JSON.parse(await readFile(join(folder, 'model.safetensors.index.json'), 'utf8')) as {
      weight_map: Record<string, string>
    } // our own fixture
    const shards = await Promise.all([...new Set(Object.values(map))].map(name => tensorsOf(join(folder, name))))
    await rm(join(folder, 'model.safetensors.index.json'))
    await writeSafetensors(join(folder, 'model.safetensors'), [...shards.flat(), scalar(extra)])
    return (await openModel(folder)).close()
  },
  'a GGUF file': async extra => {
    const { tensors } = await tensorsOfFixture()
    const file = join(root, 'model.gguf')
    const one = { name: extra, shape: [1], data: new Uint8Array(Float32Array.of(1).buffer) }
    await writeFile(file, ggufBytes(ggufMetadata, [...tensors, one]))
    return (await openModel(file)).close()
  },
  'an ECG-JEPA checkpoint': extra => embedded([...encoderTensors(), scalar(extra)]),
  'an adapter': async extra => {
    const folder = join(root, 'adapter')
    const opened = await openModel(fixture)
    await opened.close()
    const { model } = opened
    const adapters = loraAdapters(model.parameters, { rank: 2, alpha: 4, targets: ['q_proj'] })
    await rm(folder, { recursive: true, force: true })
    await saveAdapter(folder, model, { adapters, ...initialFactors(adapters, 1), baseModel: 'base' })
    const file = join(folder, 'adapter_model.safetensors')
    await writeSafetensors(file, [...(await tensorsOf(file)), scalar(extra)])
    return loadAdapter(folder, model)
  },
}

const shapes = new Map<string, readonly number[]>()
const isListed = (name: string): boolean =>
  unusedTensors.some(({ matches }) => matches(name, [1], shapes)) ||
  unusedSections.some(({ prefix }) => name.startsWith(prefix))

describe('a tensor that nothing reads', () => {
  const known = [
    'encoder.encoder_blocks.blocks.0.attn.q_norm.weight',
    'encoder.encoder_blocks.blocks.2.norm1.weight',
    'model.layers.0.self_attn.q_norm.weight',
    'model.layers.7.mlp.up_proj.weight',
    'blk.0.attn_q_norm.weight',
    'base_model.model.model.layers.0.mlp.up_proj.bias',
    'visual.blocks.0.norm1.weight',
    'epoch',
  ]
  const names = fc.oneof(fc.constantFrom(...known), fc.stringMatching(/^[a-z_]{1,8}(\.[a-z0-9_]{1,8}){0,4}$/))

  test.for(Object.keys(loaders))('in %s is an error, unless it is on a list', async loader => {
    await fc.assert(
      fc.asyncProperty(
        names.filter(name => !isListed(name)),
        async name => {
          await expect(loaders[loader]!(name)).rejects.toMatchObject({ code: 'MODEL_TENSOR_UNEXPECTED' })
        },
      ),
      { numRuns: 20 },
    )
  })

  test('has a reason on every list', () => {
    for (const { reason } of [...unusedTensors, ...unusedSections]) expect(reason.length).toBeGreaterThan(20)
  })

  test('such as the parts of pre-training beside an encoder changes nothing', async () => {
    const want = await embedded(encoderTensors())
    const more = ['target_encoder.pos_embed', 'predictor.mask_token', 'optimizer.step'].map(name => scalar(name))
    expect(await embedded([...encoderTensors(), ...more])).toEqual(want)
  })
})

/** W δ, which as a bias does what δ does that is added to the bias of the norm before: the oracle. */
function biased(): { withBias: TensorToWrite[]; withShift: TensorToWrite[] } {
  const tensors = encoderTensors()
  const valuesOf = (name: string): Float32Array => tensors.find(each => each.name === name)!.data as Float32Array // made so
  const shift = Float32Array.from({ length: 16 }, (_, i) => Math.cos(3 * i))
  const biases = [0, 1].map(block => {
    const weight = valuesOf(`encoder.encoder_blocks.blocks.${block}.attn.qkv.weight`)
    const data = Float32Array.from({ length: 48 }, (_, row) =>
      shift.reduce((sum, value, i) => sum + value * weight[row * 16 + i]!, 0),
    )
    return { name: `encoder.encoder_blocks.blocks.${block}.attn.qkv.bias`, shape: [48], data }
  })
  const withShift = tensors.map(each => {
    if (!/encoder_blocks\.blocks\.\d\.norm1\.bias$/.test(each.name)) return each
    return { ...each, data: (each.data as Float32Array).map((value, i) => value + shift[i]!) } // made so
  })
  return { withBias: [...tensors, ...biases], withShift }
}

describe('an ECG-JEPA encoder with biases of queries, keys and values', () => {
  test('uses them', async () => {
    const { withBias, withShift } = biased()
    const [got, want, plain] = [await embedded(withBias), await embedded(withShift), await embedded(encoderTensors())]
    got.forEach((value, i) => expect(value).toBeCloseTo(want[i]!, 5))
    expect(Math.max(...got.map((value, i) => Math.abs(value - plain[i]!)))).toBeGreaterThan(0.01)
  })

  test('takes the section of a config that fits its tensors', async () => {
    const { withBias } = biased()
    const want = await embedded(withBias)
    const config = { vit_b: { encoder_embed_dim: 768, encoder_depth: 12 }, note: 'two', vit_small: sizesJson }
    expect(await embedded(withBias, config)).toEqual(want)
  })
})
