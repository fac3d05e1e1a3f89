import { compileGraph, createOrtExecutor, gradients, Graph, graphOps, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { maxAbsDifference, oraclePath, oracles, readJson, readSafetensors } from '../../test/oracle-files.ts'
import type { PreparedEcg } from '../ecg/preprocess-ecg.ts'
import { readEcgJepaConfig } from './config.ts'
import { blockPatchMask, patchMask, randomPatchMask } from './patch-mask.ts'
import {
  ecgPretrainingBatch,
  ecgPretrainingParameterSpecs,
  targetMomentum,
  type EcgPretrainingConfig,
} from './pretraining.ts'

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 2 })
})
afterAll(() => executor.close())

function seeded(seed: number): () => number {
  let state = seed
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647
}

function sumOfSquares(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value * value, 0)
}

function relativeError(got: Float32Array, want: Float32Array): number {
  return Math.sqrt(sumOfSquares(got.map((value, i) => value - want[i]!)) / sumOfSquares(want))
}

const tiny: EcgPretrainingConfig = {
  encoder: readEcgJepaConfig({ encoder_embed_dim: 32, encoder_depth: 2, encoder_num_heads: 4 }),
  predictor: { embedDim: 16, depth: 2, numHeads: 2 },
}

/** The batch and weights of the oracle's step. */
function oracleStep() {
  const weights = readSafetensors(oraclePath('ecg/ecgjepa_tiny.safetensors'))
  const want = readSafetensors(oraclePath('ecg/ecgjepa_tiny_jepa_step.safetensors'))
  const { tiny_loss: loss, mask_indices: masked } = readJson(oraclePath('ecg/ecgjepa.json')) as {
    tiny_loss: number
    mask_indices: number[]
  }
  const x = readSafetensors(oraclePath('ecg/ecgjepa_tiny_forward.safetensors')).f32('x').data
  const items: PreparedEcg[] = [0, 1, 2].map(i => ({
    signalMv: x.slice(i * 20_000, (i + 1) * 20_000),
    missingLeads: [],
  }))
  return { weights, want, loss, items, mask: patchMask(50, new Set(masked)) }
}

describe.skipIf(!oracles.present)(`a step of ECG-JEPA's pre-training against the official code${oracles.why}`, () => {
  test('has its loss, prediction, target and gradients', async () => {
    const { weights, want, loss, items, mask } = oracleStep()
    const batch = ecgPretrainingBatch(tiny, items, mask)
    const graph = new Graph()
    const inputs = new Map(Object.entries(batch.inputs).map(([n, t]) => [n, graph.input(n, t.shape, t.dtype)]))
    const specs = ecgPretrainingParameterSpecs(tiny)
    const values = new Map(specs.map(({ name, shape }) => [name, graph.input(name, shape)]))
    const results = batch.loss(
      graphOps(graph),
      name => values.get(name)!,
      name => inputs.get(name)!,
    )
    for (const [name, value] of Object.entries(results)) graph.output(name, value)
    const trained = specs.filter(spec => spec.isTrainable).map(spec => spec.name)
    const found = gradients(
      graph,
      results.loss,
      trained.map(name => values.get(name)!),
    )
    found.forEach((gradient, i) => graph.output(`d ${trained[i]}`, gradient))
    const program = await compileGraph(executor, graph)
    const feeds = Object.fromEntries(Object.entries(batch.inputs).map(([n, t]) => [n, t.data]))
    const got = await program.run({
      ...feeds,
      ...Object.fromEntries(specs.map(s => [s.name, weights.f32(s.name).data])),
    })
    expect(Math.abs(Number(got['loss']![0]) - loss)).toBeLessThan(1e-6)
    for (const [name, key] of [
      ['prediction', 'prediction'],
      ['target', 'target'],
      ['context', 'context_tokens'],
    ] as const)
      expect(maxAbsDifference(got[name] as Float32Array, want.f32(key).data)).toBeLessThan(1e-5)
    expect(trained.map(name => `grad/${name}`).toSorted()).toEqual(
      want.names.filter(n => n.startsWith('grad/')).toSorted(),
    )
    const errors = trained.map(name => relativeError(got[`d ${name}`] as Float32Array, want.f32(`grad/${name}`).data))
    expect(Math.max(...errors)).toBeLessThan(1e-4)
  })
})

describe('patch masks', () => {
  test('hide the asked share, block-wise or one by one', () => {
    const random = seeded(3)
    for (let draw = 0; draw < 200; draw++) {
      const single = randomPatchMask(50, [0.6, 0.7], random)
      expect(single.masked.length).toBeGreaterThanOrEqual(30)
      expect(single.masked.length).toBeLessThan(35)
      const blocks = blockPatchMask(50, [0.175, 0.225], random)
      expect(blocks.masked.length).toBeGreaterThanOrEqual(8)
      expect(blocks.masked.length).toBeLessThanOrEqual(44)
      for (const { visible, masked } of [single, blocks])
        expect([...visible, ...masked].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
    }
  })

  test('refuse to hide nothing or everything', () => {
    const thrown = expect.objectContaining({ code: 'ENCODERS_ECG_MASK' })
    expect(() => randomPatchMask(20, [0, 0.01], () => 0)).toThrow(thrown)
    expect(() => patchMask(2, new Set([0, 1]))).toThrow(thrown)
  })

  test('momentum rises from 0.996 to 1', () => {
    expect([0, 50, 100, 150].map(step => targetMomentum(step, 100))).toEqual([0.996, 0.998, 1, 1])
  })
})
