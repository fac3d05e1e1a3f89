import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  compileGraph,
  createOrtExecutor,
  createParameterStore,
  dense,
  denseIndices,
  denseOps,
  Graph,
  gradients,
  graphOps,
  sizeOf,
  type Dense,
  type OrtExecutor,
  type Tensor,
} from '@qoq-med/tensor'
import { initialValues, weightLayers, type HostTensor } from '@qoq-med/encoders'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { counterStream } from '../src/generation/counter-random.ts'
import { loadAdapter, saveAdapter } from '../src/lora/adapter-folder.ts'
import { loraAdapters, loraParameterSpecs, type LoraOptions } from '../src/lora/lora-adapters.ts'
import { loraLayers } from '../src/lora/lora-layers.ts'
import { mergedWeights } from '../src/lora/merged-weights.ts'
import { LocalPolicy } from '../src/policy/local-policy.ts'
import { loadModel } from '../src/folder/model-weights.ts'
import { testEcg, testImage, testModel } from '../src/composition/nano.testing.ts'
import { scoringBatch } from '../src/scoring/score-batch.ts'
import { largestDifference, readCases } from './oracle-cases.ts'
import { textPrompt } from './parity.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

/** Loss (mean negative log-probability) and gradients of every parameter that `names` lists, at given weights. */
async function lossAndGradients(
  executor: OrtExecutor,
  batch: ReturnType<typeof scoringBatch>,
  { shapes, names, weightOf, adapters }: LossInput,
): Promise<{ loss: number; gradientOf: (name: string) => Float32Array; read: ReadonlySet<string> }> {
  const graph = new Graph()
  const inputs = new Map(Object.entries(batch.inputs).map(([n, t]) => [n, graph.input(`batch.${n}`, t.shape, t.dtype)]))
  const weights = new Map<string, Tensor>()
  const ops = graphOps(graph)
  const factors = (name: string): Tensor => {
    const tensor = weights.get(name) ?? graph.input(name, shapes.get(name)!)
    weights.set(name, tensor)
    return tensor
  }
  const layers = loraLayers(ops, { layers: weightLayers(ops, factors), factors }, adapters)
  const { logprobs } = batch.forward(ops, layers, name => inputs.get(name)!)
  const loss = ops.neg(ops.mean(ops.slice(logprobs, 0, 0, completionLength), { axis: 0 }))
  graph.output('loss', loss)
  const wanted = names.filter(name => weights.has(name))
  gradients(
    graph,
    loss,
    wanted.map(name => weights.get(name)!),
  ).forEach((g, i) => graph.output(`d ${wanted[i]}`, g))
  const program = await compileGraph(executor, graph)
  const results = await program.run({
    ...Object.fromEntries(Object.entries(batch.inputs).map(([name, { data }]) => [`batch.${name}`, data])),
    ...Object.fromEntries([...weights.keys()].map(name => [name, weightOf(name)])),
  })
  await program.close()
  return {
    loss: Number((results['loss'] as Float32Array)[0]),
    gradientOf: name => results[`d ${name}`] as Float32Array,
    read: new Set(weights.keys()),
  }
}

function denseInput({ data, shape, dtype }: HostTensor): Dense {
  return dtype === 'int32' ? denseIndices(data, shape) : dense(data, shape)
}

/** The same loss in float64. */
function preciseLoss(
  batch: ReturnType<typeof scoringBatch>,
  weightOf: (name: string) => Dense,
  adapters: LossInput['adapters'],
): number {
  const layers = loraLayers(denseOps, { layers: weightLayers(denseOps, weightOf), factors: weightOf }, adapters)
  const { logprobs } = batch.forward(denseOps, layers, name => denseInput(batch.inputs[name]!))
  return (
    -Array.from(logprobs.data, Number)
      .slice(0, completionLength)
      .reduce((sum, value) => sum + value, 0) / completionLength
  )
}

interface LossInput {
  readonly shapes: ReadonlyMap<string, readonly number[]>
  readonly names: readonly string[]
  readonly weightOf: (name: string) => Float32Array
  readonly adapters: ReturnType<typeof loraAdapters>
}

const completionLength = 20
const nano = testModel()

async function textCase() {
  const { model, store } = await loadModel(fixture('qwen2_text_sharded_bf16'), { trainable: () => false })
  const loaded = await loadAdapter(fixture('lora/text'), model)
  const factors = new Set(loraParameterSpecs(loaded.adapters).map(({ name }) => name))
  const weightOf = (name: string): Float32Array => (factors.has(name) ? loaded.weights(name) : store.weights(name))
  const cases = await readCases(fixture('lora/text.safetensors'))
  return { model, store, ...loaded, weightOf, cases }
}

describe('LoRA', () => {
  let executor: OrtExecutor
  let root: string
  beforeAll(async () => {
    executor = await createOrtExecutor()
    root = await mkdtemp(join(tmpdir(), 'lora-'))
  })
  afterAll(async () => {
    await executor.close()
    await rm(root, { recursive: true })
  })

  test('gives PEFT’s loss and gradients of the factors', async () => {
    const { model, adapters, weightOf, cases } = await textCase()
    const ids = cases.int32('input_ids')
    const sequence = { prompt: textPrompt(ids.slice(0, 1)), completion: ids.slice(1) }
    const batch = scoringBatch(model.config.decoder, model.encoders, [sequence])
    const specs = [...model.parameters, ...loraParameterSpecs(adapters)]
    const names = specs.filter(({ name }) => cases.has(`gradient/${name}`)).map(({ name }) => name)
    const shapes = new Map(specs.map(({ name, shape }) => [name, shape]))
    const got = await lossAndGradients(executor, batch, { shapes, names, weightOf, adapters })
    expect(names.length).toBe(14)
    expect(got.loss).toBeCloseTo(cases.float32('loss')[0]!, 5)
    for (const name of names) {
      const want = cases.float32(`gradient/${name}`)
      const scale = Math.max(...want.map(Math.abs))
      expect(largestDifference(got.gradientOf(name), want) / scale).toBeLessThan(1e-5)
    }
  })

  test('merges to PEFT’s weights, which give its logits', async () => {
    const { model, adapters, weightOf, cases } = await textCase()
    const { weights } = mergedWeights(adapters, weightOf)
    for (const name of ['model.layers.0.self_attn.k_proj.weight', 'model.layers.2.mlp.down_proj.weight'])
      expect(largestDifference(weights(name), cases.float32(`merged/${name}`))).toBeLessThan(1e-7)
    const policy = new LocalPolicy({ model, weights, executor })
    const [logits] = await policy.logits([textPrompt(cases.int32('input_ids'))])
    const kept = Array.from({ length: 5 }, (_, i) => [...logits!.subarray(5 * i * 1376, (5 * i + 1) * 1376)]).flat()
    expect(largestDifference(kept, cases.float32('logits'))).toBeLessThan(1e-4)
    await policy.close()
  })

  test('reads a rank-stabilised adapter of the vision tower and the decoder under transformers’ names', async () => {
    const { model, store } = await loadModel(fixture('qwen25vl_tiny_hub_sharded_bf16'), { trainable: () => false })
    const { adapters, weights } = await loadAdapter(fixture('lora/vision'), model)
    const merged = mergedWeights(adapters, name => (name.includes('.lora_') ? weights(name) : store.weights(name)))
    const cases = await readCases(fixture('lora/vision.safetensors'))
    for (const name of [
      'model.layers.1.self_attn.q_proj.weight',
      'visual.blocks.0.attn.qkv.weight',
      'visual.merger.mlp.0.weight',
    ])
      expect(largestDifference(merged.weights(name), cases.float32(name))).toBeLessThan(1e-7)
  })

  test('is written as it was read', async () => {
    for (const [base, adapter] of [
      ['qwen2_text_sharded_bf16', 'text'],
      ['qwen25vl_tiny_hub_sharded_bf16', 'vision'],
    ] as const) {
      const { model } = await loadModel(fixture(base), { trainable: () => false })
      const loaded = await loadAdapter(fixture(`lora/${adapter}`), model)
      const copy = join(root, adapter)
      await saveAdapter(copy, model, { ...loaded, baseModel: 'base' })
      const [ours, theirs] = [copy, fixture(`lora/${adapter}`)].map(folder =>
        readFile(join(folder, 'adapter_model.safetensors')),
      )
      const [mine, peft] = [
        await readCases(join(copy, 'adapter_model.safetensors')),
        await readCases(fixture(`lora/${adapter}/adapter_model.safetensors`)),
      ]
      for (const name of loraParameterSpecs(loaded.adapters).map(spec => spec.name)) {
        const written = `base_model.model.${base.includes('vl') ? (name.startsWith('visual.') ? `model.${name}` : name.replace('model.', 'model.language_model.')) : name}`
        expect(mine.float32(written)).toEqual(peft.float32(written))
      }
      expect((await ours!).length).toBe((await theirs!).length)
      const again = await loadAdapter(copy, model)
      expect(again.adapters.scale).toBe(loaded.adapters.scale)
    }
  })

  test(
    'adapts every linear layer of decoder, vision tower and ECG encoder, and gradients are the loss’s slopes',
    { timeout: 120_000 },
    async () => {
      const { model, store } = nano
      const adapters = loraAdapters(model.parameters, { rank: 2, alpha: 3, targets: ['*'] })
      const specs = loraParameterSpecs(adapters)
      const factors = new Map(specs.map((spec, i) => [spec.name, initialValues(spec, counterStream(5, i))]))
      for (const { up } of adapters.targets.values()) {
        const random = counterStream(6, factors.get(up)!.length)
        factors.get(up)!.forEach((_, i, values) => (values[i] = 0.2 * (random() - 0.5)))
      }
      const weightOf = (name: string): Float32Array => factors.get(name) ?? store.weights(name)
      const content = [
        { type: 'image', image: testImage(60, 60) },
        { type: 'ecg', ecg: testEcg() },
        { type: 'text', text: 'Which?' },
      ] as const
      const prompt = model.encode([{ role: 'user', content }])
      const completion = Int32Array.from({ length: completionLength }, (_, i) => 300 + i)
      const batch = scoringBatch(model.config.decoder, model.encoders, [{ prompt, completion }])
      const shapes = new Map([...model.parameters, ...specs].map(({ name, shape }) => [name, shape]))
      const names = specs.map(({ name }) => name)
      const input = { shapes, names, weightOf, adapters }
      const { gradientOf, read } = await lossAndGradients(executor, batch, input)
      expect(names.filter(name => !read.has(name))).toEqual([])
      const idle = names.filter(name => !gradientOf(name).some(value => value !== 0))
      expect(idle).toEqual([])
      for (const kind of ['lora_A', 'lora_B']) {
        for (const part of ['model.', 'visual.', 'time_series_embedding.']) {
          const group = names.filter(name => name.startsWith(part) && name.includes(kind))
          // Every factor moves by one unit along its own gradient: the slope is the sum of the gradients' lengths.
          const moved = (name: string, by: number): ArrayLike<number> => {
            if (!group.includes(name)) return weightOf(name)
            const gradient = gradientOf(name)
            const length = Math.hypot(...gradient)
            return Float64Array.from(weightOf(name), (value, i) => value + (by * gradient[i]!) / length)
          }
          const lossAt = (by: number): number =>
            preciseLoss(batch, name => dense(moved(name, by), shapes.get(name)!), adapters)
          const slope = (lossAt(1e-4) - lossAt(-1e-4)) / 2e-4
          const lengths = group.reduce((sum, name) => sum + Math.hypot(...gradientOf(name)), 0)
          expect(Math.abs(slope / lengths - 1)).toBeLessThan(1e-4)
        }
      }
    },
  )

  test('keeps base weights out of gradients and moments', () => {
    const { model } = nano
    const adapters = loraAdapters(model.parameters, { rank: 4, alpha: 8, targets: ['q_proj', 'v_proj'] })
    const specs = loraParameterSpecs(adapters)
    const trained = new Set(specs.map(({ name }) => name))
    const store = createParameterStore([...model.parameters, ...specs], { trainable: name => trained.has(name) })
    const size = specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
    expect(store.trainableLength).toBe(size)
    expect(store.memory.buffer.byteLength).toBeLessThan(
      4 * (model.parameters.reduce((sum, { shape }) => sum + sizeOf(shape) + 4, 0) + 4 * size) + 131_072,
    )
  })

  test('begins as PEFT: A within 1 / sqrt(inputs), B zero, the model unchanged', () => {
    const { model, store } = nano
    const adapters = loraAdapters(model.parameters, { rank: 8, alpha: 16 })
    const factors = new Map(
      loraParameterSpecs(adapters).map((spec, i) => [spec.name, initialValues(spec, counterStream(9, i))]),
    )
    for (const { down, up, inputs } of adapters.targets.values()) {
      const bound = 1 / Math.sqrt(inputs)
      const values = factors.get(down)!
      const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length
      expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound))
      expect(Math.abs(variance / ((bound * bound) / 3) - 1)).toBeLessThan(0.2)
      expect(factors.get(up)!.every(value => value === 0)).toBe(true)
    }
    const { weights } = mergedWeights(adapters, name => factors.get(name) ?? store.weights(name))
    for (const name of adapters.targets.keys()) expect(weights(name)).toEqual(store.weights(name))
  })

  test('drops inputs of adapters alone, once for all rows of a fused weight', () => {
    const weights: Record<string, ReturnType<typeof dense>> = {
      'a.weight': dense([1, 0, 0, 1], [2, 2]),
      'a.lora_A.weight': dense([1, 1], [1, 2]),
      'a.lora_B.weight': dense([10, 100], [2, 1]),
    }
    const spec = { name: 'a.weight', shape: [2, 2], init: { type: 'zeros' }, isTrainable: true } as const
    const adapters = loraAdapters([spec], { rank: 1, alpha: 2, targets: ['a'] })
    let dropped = 0
    const factors = (name: string): Dense => weights[name]!
    const base = { layers: weightLayers(denseOps, factors), factors }
    const layers = loraLayers(denseOps, base, adapters, x => {
      dropped++
      return denseOps.mul(x, dense([2, 0], [2]))
    })
    const x = dense([3, 5], [1, 2])
    const rows = [0, 1].map(i => layers.linear(x, 'a', { rows: [i, i + 1] }))
    expect(rows.map(({ data }) => data[0])).toEqual([3 + 2 * 6 * 10, 5 + 2 * 6 * 100])
    expect(dropped).toBe(1)
  })

  test.for<{ name: string; options: LoraOptions; says: string }>([
    { name: 'a rank of 0', options: { rank: 0, alpha: 1 }, says: 'rank' },
    { name: 'an alpha of 0', options: { rank: 1, alpha: 0 }, says: 'alpha' },
    { name: 'a dropout of 1', options: { rank: 1, alpha: 1, dropout: 1 }, says: 'dropout' },
    { name: 'an unknown layer', options: { rank: 1, alpha: 1, targets: ['q_prj'] }, says: 'nearest name is q_proj' },
    { name: 'a table', options: { rank: 1, alpha: 1, targets: ['embed_tokens'] }, says: 'embed_tokens' },
    { name: 'no layer', options: { rank: 1, alpha: 1, targets: [] }, says: 'no layer' },
  ])('refuses $name', ({ options, says }) => {
    expect(() => loraAdapters(nano.model.parameters, options)).toThrow(
      expect.objectContaining({ code: 'MODEL_LORA_INVALID', message: expect.stringContaining(says) }),
    )
  })

  test.for([
    { name: 'DoRA', change: { use_dora: true }, says: 'use_dora' },
    { name: 'whole modules', change: { modules_to_save: ['lm_head'] }, says: 'modules_to_save' },
    { name: 'another method', change: { peft_type: 'IA3' }, says: 'peft_type' },
    { name: 'ranks by layer', change: { rank_pattern: { q_proj: 2 } }, says: 'rank_pattern' },
    { name: 'another rank than the file’s', change: { r: 5 }, code: 'MODEL_TENSOR_SHAPE', says: '[5, 88]' },
  ])('refuses an adapter with $name', async ({ change, says, code = 'MODEL_ADAPTER_INVALID' }) => {
    const { model } = await loadModel(fixture('qwen2_text_sharded_bf16'), { trainable: () => false })
    const folder = await mkdtemp(join(root, 'bad-'))
    const config = JSON.parse(await readFile(fixture('lora/text/adapter_config.json'), 'utf8')) as object // our own fixture
    await writeFile(join(folder, 'adapter_config.json'), JSON.stringify({ ...config, ...change }))
    await writeFile(
      join(folder, 'adapter_model.safetensors'),
      await readFile(fixture('lora/text/adapter_model.safetensors')),
    )
    await expect(loadAdapter(folder, model)).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(says) }),
    )
    await expect(loadAdapter(root, model)).rejects.toThrow(expect.objectContaining({ code: 'MODEL_ADAPTER_INVALID' }))
  })
})
