import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  compileGraph,
  createOrtExecutor,
  gradients,
  Graph,
  graphOps,
  memoryModes,
  type MemoryMode,
  type OrtExecutor,
  type Tensor,
} from '@qoq-med/tensor'
import { weightLayers, type Layers } from '@qoq-med/encoders'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testImage } from '../src/composition/nano.testing.ts'
import { openFrozenBase, type FrozenBase, type FrozenType } from '../src/folder/frozen-base.ts'
import { loadModel } from '../src/folder/model-weights.ts'
import { loadAdapter } from '../src/lora/adapter-folder.ts'
import { loraParameterSpecs } from '../src/lora/lora-adapters.ts'
import { loraLayers } from '../src/lora/lora-layers.ts'
import { LocalPolicy } from '../src/policy/local-policy.ts'
import { scoringBatch, type ScoreBatch } from '../src/scoring/score-batch.ts'
import type { ScoredSequence } from '../src/scoring/scored-sequence.ts'
import { largestDifference, readCases } from './oracle-cases.ts'
import { textPrompt } from './parity.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

let executor: OrtExecutor
let root: string
beforeAll(async () => {
  executor = await createOrtExecutor()
  root = await mkdtemp(join(tmpdir(), 'frozen-base-'))
})
afterAll(async () => {
  await executor.close()
  await rm(root, { recursive: true })
})

async function withBase<Value>(
  model: string,
  weightsType: FrozenType,
  work: (base: FrozenBase) => Promise<Value>,
): Promise<Value> {
  const base = await openFrozenBase(fixture(model), { weightsType, cache: { folder: join(root, 'cache') } })
  try {
    return await work(base)
  } finally {
    await base.close()
  }
}

type Passed = Readonly<Record<string, Float32Array>>

interface Pass {
  readonly batch: ScoreBatch
  readonly tokens: number
  readonly adapter: Awaited<ReturnType<typeof loadAdapter>>
  readonly feeds: Readonly<Record<string, Float32Array>>
  readonly dataFolder?: string
  readonly memory?: MemoryMode
  readonly layers: (graph: Graph) => Layers<Tensor>
}

/** Mean negative log-probability and the gradients of the factors that are read, by name. */
async function lossAndGradients({ batch, tokens, adapter, feeds, layers, ...options }: Pass): Promise<Passed> {
  const graph = new Graph()
  const ops = graphOps(graph)
  const inputs = new Map(Object.entries(batch.inputs).map(([n, t]) => [n, graph.input(`batch.${n}`, t.shape, t.dtype)]))
  const shapes = new Map(loraParameterSpecs(adapter.adapters).map(({ name, shape }) => [name, shape]))
  const asked = new Map<string, Tensor>()
  const factors = (name: string): Tensor => {
    const tensor = asked.get(name) ?? graph.input(name, shapes.get(name)!)
    asked.set(name, tensor)
    return tensor
  }
  const adapted = loraLayers(ops, { layers: layers(graph), factors }, adapter.adapters)
  const { logprobs } = batch.forward(ops, adapted, name => inputs.get(name)!)
  const loss = ops.neg(ops.mean(ops.slice(logprobs, 0, 0, tokens), { axis: 0 }))
  graph.output('loss', loss)
  gradients(graph, loss, [...asked.values()]).forEach((each, i) => graph.output(`d ${[...asked.keys()][i]!}`, each))
  const program = await compileGraph(executor, graph, { segmentBytes: 2 ** 14, ...options })
  const results = await program.run({
    ...Object.fromEntries(Object.entries(batch.inputs).map(([name, { data }]) => [`batch.${name}`, data])),
    ...Object.fromEntries([...asked.keys()].map(name => [name, adapter.weights(name)])),
    ...feeds,
  })
  await program.close()
  const named = Object.entries(results).map(([name, values]) => [name.replace(/^d /, ''), values])
  return Object.fromEntries(named) as Passed // floats alone
}

/** Over a base that is fed as float32, as below 1 B. */
async function fedPass(model: string, adapterFolder: string, sequence: ScoredSequence): Promise<Passed> {
  const { model: loaded, store } = await loadModel(fixture(model), { trainable: () => false })
  const weights = new Map<string, Tensor>()
  return lossAndGradients({
    batch: scoringBatch(loaded.config.decoder, loaded.encoders, [sequence]),
    tokens: sequence.completion.length,
    adapter: await loadAdapter(fixture(adapterFolder), loaded),
    feeds: Object.fromEntries(store.parameters.map(({ name }) => [name, store.weights(name)])),
    layers: graph => {
      for (const { name, shape } of store.parameters) weights.set(name, graph.input(name, shape))
      return weightLayers(graphOps(graph), name => weights.get(name)!)
    },
  })
}

async function frozenPass(
  base: FrozenBase,
  adapterFolder: string,
  sequence: ScoredSequence,
  memory: MemoryMode = 'fast',
): Promise<Passed> {
  const batch = scoringBatch(base.model.config.decoder, base.model.encoders, [sequence])
  return lossAndGradients({
    batch,
    tokens: sequence.completion.length,
    adapter: await loadAdapter(fixture(adapterFolder), base.model),
    feeds: await base.feeds(batch),
    dataFolder: base.folder,
    memory,
    layers: graph => base.layers(graph),
  })
}

function expectEqual(got: Passed, want: Passed, tolerance: number): void {
  for (const [name, values] of Object.entries(want)) {
    const scale = Math.max(...values.map(Math.abs))
    expect({ name, isNear: largestDifference(got[name]!, values) / scale < tolerance }).toEqual({ name, isNear: true })
  }
}

describe('adapters over a base that stays on disk', () => {
  test.for([
    { weightsType: 'float32', reference: 'text', prefix: '' },
    { weightsType: 'bfloat16', reference: 'text', prefix: '' }, // the checkpoint's own type: nothing is rounded
    { weightsType: 'int8', reference: 'rounded', prefix: 'int8/' },
    { weightsType: 'int4', reference: 'rounded', prefix: 'int4/' },
  ] as const)('have PEFT’s loss and gradients: $weightsType', async ({ weightsType, reference, prefix }) => {
    const ids = (await readCases(fixture('lora/text.safetensors'))).int32('input_ids')
    const cases = await readCases(fixture(`lora/${reference}.safetensors`))
    const sequence = { prompt: textPrompt(ids.slice(0, 1)), completion: ids.slice(1) }
    const got = await withBase('qwen2_text_sharded_bf16', weightsType, base => frozenPass(base, 'lora/text', sequence))
    expect(got['loss']![0]).toBeCloseTo(cases.float32(`${prefix}loss`)[0]!, 5)
    const wanted = Object.keys(got).filter(name => cases.has(`${prefix}gradient/${name}`))
    expect(wanted.length).toBe(14)
    expectEqual(got, Object.fromEntries(wanted.map(name => [name, cases.float32(`${prefix}gradient/${name}`)])), 1e-5)
  })

  test.for([
    { weightsType: 'float32', reference: 'text', key: 'loss' },
    { weightsType: 'bfloat16', reference: 'text', key: 'loss' },
    { weightsType: 'int8', reference: 'rounded', key: 'int8/loss' },
    { weightsType: 'int4', reference: 'rounded', key: 'int4/loss' },
  ] as const)('answer as they train: $weightsType', async ({ weightsType, reference, key }) => {
    const ids = (await readCases(fixture('lora/text.safetensors'))).int32('input_ids')
    const want = (await readCases(fixture(`lora/${reference}.safetensors`))).float32(key)[0]!
    const [prompt, completion] = [textPrompt(ids.slice(0, 1)), ids.slice(1)]
    await withBase('qwen2_text_sharded_bf16', weightsType, async ({ packed, model }) => {
      const { adapters, weights } = await loadAdapter(fixture('lora/text'), model)
      const names = loraParameterSpecs(adapters).map(({ name }) => name)
      const factors = new Map(names.map(name => [name, weights(name)]))
      let version = 0
      const policy = new LocalPolicy({
        packed,
        executor,
        adapters: { adapters, factors: name => factors.get(name)!, version: () => version },
      })
      const lossOf = async (): Promise<number> => {
        const [scores] = await policy.logprobs([{ prompt, completion }])
        return -scores!.reduce((sum, value) => sum + value, 0) / scores!.length
      }
      // PEFT's own loss: what is sampled has the log-probabilities that training computes.
      expect(Math.abs((await lossOf()) - want)).toBeLessThan(2e-5)
      for (const name of names)
        if (name.endsWith('lora_B.weight')) factors.set(name, new Float32Array(weights(name).length))
      version++
      expect(Math.abs((await lossOf()) - want)).toBeGreaterThan(1e-3)
      await policy.close()
    })
  })

  test.for(memoryModes)('have the same gradients with a picture as over a base that is fed: %s', async memory => {
    const name = 'qwen25vl_tiny_hub_sharded_bf16'
    const read = await withBase(name, 'bfloat16', async base => {
      const prompt = base.model.encode([
        {
          role: 'user',
          content: [
            { type: 'image', image: testImage(56, 84) },
            { type: 'text', text: 'What is it?' },
          ],
        },
      ])
      const sequence = { prompt, completion: Int32Array.of(5, 9, 2, 14) }
      const want = await fedPass(name, 'lora/vision', sequence)
      const got = await frozenPass(base, 'lora/vision', sequence, memory)
      expect(Object.keys(want).filter(each => each.startsWith('visual.')).length).toBeGreaterThan(0)
      expectEqual(got, want, 1e-5)
      return Object.keys(got)
    })
    expect(read.length).toBeGreaterThan(10)
  })
})
