import {
  compileGraph,
  createOrtExecutor,
  dense,
  denseOps,
  Graph,
  graphOps,
  type Dense,
  type OrtExecutor,
} from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { maxAbsDifference, oraclePath, oracles, readSafetensors } from '../../test/oracle-files.ts'
import { officialEcgJepa, pooledTokens, type EcgJepaConfig } from './config.ts'
import { crossPatternAttention } from './cross-pattern.ts'
import { weightLayers } from '../layers.ts'
import { ecgJepaEncoder, poolEcgTokens } from './encoder.ts'
import { ecgJepaParameterSpecs } from './parameter-specs.ts'
import { sincosPositions } from './sincos-positions.ts'

const tiny: EcgJepaConfig = { embedDim: 32, depth: 2, numHeads: 4, numLeads: 8, patchSize: 50, numPatches: 50 }

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor()
})
afterAll(() => executor.close())

/** Runs the encoder and its mean pooling. */
async function encode(
  config: EcgJepaConfig,
  weights: (name: string) => Float32Array,
  x: { shape: readonly number[]; data: Float32Array },
  leads?: readonly number[],
) {
  const graph = new Graph()
  const ops = graphOps(graph)
  const specs = ecgJepaParameterSpecs(config)
  const inputs = new Map(specs.map(spec => [spec.name, graph.input(spec.name, spec.shape)]))
  const tokens = ecgJepaEncoder(
    ops,
    weightLayers(ops, name => inputs.get(name)!),
    config,
    graph.input('x', x.shape),
    leads,
  )
  graph.output('tokens', tokens)
  const pooled = { ...config, numLeads: leads?.length ?? config.numLeads }
  graph.output('pooled', poolEcgTokens(ops, pooled, tokens, 'mean'))
  const program = await compileGraph(executor, graph)
  const feeds = Object.fromEntries(specs.map(spec => [spec.name, weights(spec.name)]))
  const { tokens: found, pooled: mean } = await program.run({ ...feeds, x: x.data })
  return { tokens: found as Float32Array, pooled: mean as Float32Array } // float32 outputs
}

const model = () => readSafetensors(oraclePath('ecg/ecgjepa_tiny.safetensors'))
const cases = () => readSafetensors(oraclePath('ecg/ecgjepa_tiny_forward.safetensors'))

describe.skipIf(!oracles.present)(`ECG-JEPA against the official code${oracles.why}`, () => {
  test('embeds every patch and their mean', async () => {
    const [weights, want] = [model(), cases()]
    const got = await encode(tiny, name => weights.f32(`encoder.${name}`).data, want.f32('x'))
    expect(maxAbsDifference(got.tokens, want.f32('token_embeddings').data)).toBeLessThan(1e-5)
    expect(maxAbsDifference(got.pooled, want.f32('pooled_representation').data)).toBeLessThan(1e-5)
  })

  test.for([
    [0, 1],
    [1, 5, 7],
  ])('embeds the leads %s alone', async leads => {
    const [weights, want] = [model(), cases()]
    const { shape, data } = want.f32('x')
    const [count, , length] = shape as [number, number, number]
    const chosen = Float32Array.from({ length: count * leads.length * length }, (_, i) => {
      const record = Math.floor(i / (leads.length * length))
      const lead = leads[Math.floor(i / length) % leads.length]!
      return data[(record * 8 + lead) * length + (i % length)]!
    })
    const x = { shape: [count, leads.length, length], data: chosen }
    const got = await encode(tiny, name => weights.f32(`encoder.${name}`).data, x, leads)
    expect(maxAbsDifference(got.pooled, want.f32(`pooled_leads_${leads.join('_')}`).data)).toBeLessThan(1e-5)
  })

  test('at the official size', { timeout: 120_000 }, async () => {
    const want = readSafetensors(oraclePath('ecg/ecgjepa_real_config_forward.safetensors'))
    const weights = formulaWeights(officialEcgJepa)
    const got = await encode(officialEcgJepa, name => weights.get(name)!, want.f32('x'))
    const every25th = Float32Array.from(
      { length: 16 * 768 },
      (_, i) => got.tokens[Math.floor(i / 768) * 25 * 768 + (i % 768)]!,
    )
    expect(maxAbsDifference(every25th, want.f32('tokens_every_25th').data)).toBeLessThan(1e-4)
    expect(maxAbsDifference(got.pooled, want.f32('pooled').data)).toBeLessThan(1e-4)
  })

  test('positions', () => {
    const want = cases()
    expect(maxAbsDifference(sincosPositions(8, 50, 32), want.f32('pos_embed').data)).toBeLessThan(1e-6)
  })

  test('cross-pattern attention is attention under the official mask', () => {
    const mask = cases().u8('attention_mask_400x400').data
    const hidden = Float32Array.from(mask, visible => (visible ? 0 : -1e9))
    const [q, k, v] = [1, 2, 3].map(seed => wave(seed, [1, 1, 400, 2])) as [Dense, Dense, Dense] // three in, three out
    const got = crossPatternAttention(denseOps, 8, 50)(q, k, v)
    const queries = denseOps.reshape(q, [1, 1, 1, 400, 2])
    const want = denseOps.attention(queries, k, v, { mask: denseOps.constant(hidden, [400, 400]), scale: 2 ** -0.5 })
    expect(maxAbsDifference(got.data as Float64Array, want.data as Float64Array)).toBeLessThan(1e-12)
  })
})

function wave(seed: number, shape: readonly number[]): Dense {
  const length = shape.reduce((size, side) => size * side, 1)
  return dense(
    Array.from({ length }, (_, i) => 2 * Math.sin(seed * 12.9 + i * 1.7 * seed)),
    shape,
  )
}

/** sin(first + step * i) for i below `count`, by the addition theorem from two small tables: 85 million sines are slow. */
function sines(count: number, step: number, first: number): Float32Array {
  const run = 1024
  const [sin, cos] = [Math.sin, Math.cos].map(f => Float64Array.from({ length: run }, (_, i) => f(step * i)))
  const values = new Float32Array(count)
  for (let start = 0; start < count; start += run) {
    const [s, c] = [Math.sin(first + step * start), Math.cos(first + step * start)]
    for (let i = 0; i < Math.min(run, count - start); i++) values[start + i] = s * cos![i]! + c * sin![i]!
  }
  return values
}

/** The rule of ecgjepa.json: sines of the element's place, so that a large model needs no file. */
function formulaWeights(config: EcgJepaConfig): ReadonlyMap<string, Float32Array> {
  const specs = ecgJepaParameterSpecs(config).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return new Map(
    specs.map(({ name, shape, init }, j) => {
      if (init.type === 'values') return [name, init.values]
      const size = shape.reduce((product, length) => product * length, 1)
      const isNorm = /norm\d?\.weight$/.test(name)
      const [base, factor] = isNorm ? [1, 0.1] : [0, name.endsWith('.bias') ? 0.1 : 1.5 / Math.sqrt(shape.at(-1)!)]
      const values = sines(size, 12.9898, 12.9898 + 78.233 * (j + 1)).map(v => base + factor * v)
      return [name, values]
    }),
  )
}

describe('poolEcgTokens', () => {
  const config: EcgJepaConfig = { ...tiny, numLeads: 2, numPatches: 2, embedDim: 1 }
  const tokens = dense([1, 2, 3, 5], [1, 4, 1])
  test.for([
    { pooling: 'patches', want: [1, 2, 3, 5] },
    { pooling: 'mean', want: [2.75] },
    { pooling: 2, want: [1.5, 4] },
  ] as const)('$pooling', ({ pooling, want }) => {
    expect([...poolEcgTokens<Dense>(denseOps, config, tokens, pooling).data]).toEqual(want)
  })

  test('refuses groups that are not equal', () => {
    expect(() => pooledTokens(config, 3)).toThrow(expect.objectContaining({ code: 'ENCODERS_ECG_TOKENS' }))
  })
})
