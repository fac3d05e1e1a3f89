import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fixturePath, maxAbsDifference, readSafetensors } from '../../test/oracle-files.ts'
import { runDense, runOrt, type Parameters } from '../../test/run-encoder.ts'
import { jepaLeads, type EcgRecording } from '../ecg/preprocess-ecg.ts'
import { initialValues } from '../parameter-spec.ts'
import { nanoEcgJepa, readEcgJepaConfig, writeEcgJepaConfig } from './config.ts'
import { createEcgEncoder, ecgBatch } from './ecg-encoder.ts'

const tiny = readEcgJepaConfig({ encoder_embed_dim: 32, encoder_depth: 2, encoder_num_heads: 4 })
const fixture = readSafetensors(fixturePath('ecg-tiny.safetensors'))
const parameters: Parameters = name => ({ dtype: 'float32', ...fixture.f32(name) })
const ecg = { signalMv: fixture.f32('x').data, missingLeads: [] }

let executor: OrtExecutor
beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 1 })
})
afterAll(() => executor.close())

function made(changes: object) {
  return () => createEcgEncoder({ config: { ...nanoEcgJepa, ...changes }, hiddenSize: 8, pooling: 'mean' })
}

describe('createEcgEncoder', () => {
  test('embeds the oracle ECG as one token and as many, in plain arithmetic and in ONNX Runtime', async () => {
    const one = ecgBatch({ config: tiny, pooling: 'mean' }, [ecg])
    const want = fixture.f32('projected_pooled').data
    expect(maxAbsDifference(runDense(one, parameters), want)).toBeLessThan(1e-5)
    expect(maxAbsDifference(await runOrt(executor, one, parameters), want)).toBeLessThan(1e-5)
    const many = await runOrt(executor, ecgBatch({ config: tiny, pooling: 'patches' }, [ecg, ecg]), parameters)
    const first16 = fixture.f32('projected_tokens_first_16').data
    expect(many).toHaveLength(2 * 400 * 64)
    expect(maxAbsDifference(many.subarray(0, 16 * 64), first16)).toBeLessThan(1e-5)
    expect(maxAbsDifference(many.subarray(400 * 64, 416 * 64), first16)).toBeLessThan(1e-5)
  })

  test('pads a rounded batch with rows behind the tokens', async () => {
    const items = [ecg, ecg, ecg, ecg, ecg]
    const exact = ecgBatch({ config: tiny, pooling: 'mean' }, items)
    const rounded = ecgBatch({ config: tiny, pooling: 'mean', bucket: 'rounded' }, items)
    expect([exact.rows, rounded.rows]).toEqual([5, 6])
    const [want, got] = [await runOrt(executor, exact, parameters), await runOrt(executor, rounded, parameters)]
    expect(maxAbsDifference(got.subarray(0, want.length), want)).toBeLessThan(1e-6)
  })

  test('takes a recording to tokens of the LLM at the nano size', async () => {
    const encoder = createEcgEncoder({ config: nanoEcgJepa, hiddenSize: 48, pooling: 8 })
    const signalMv = jepaLeads.map((_, lead) => new Float32Array(5000).map((_zero, i) => Math.sin(i / 40 + lead)))
    const recording: EcgRecording = { leads: jepaLeads, samplingRateHz: 500, signalMv }
    const prepared = encoder.preprocess(recording)
    const batch = encoder.batch([prepared, prepared])
    expect(encoder.tokens(prepared)).toBe(8)
    expect(batch.rows).toBe(16)
    let state = 1
    const random = (): number => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647
    const values = new Map(encoder.parameters.map(spec => [spec.name, initialValues(spec, random)]))
    const shapes = new Map(encoder.parameters.map(spec => [spec.name, spec.shape]))
    const nano: Parameters = name => ({ dtype: 'float32', shape: shapes.get(name)!, data: values.get(name)! })
    const rows = await runOrt(executor, batch, nano)
    expect(rows).toHaveLength(16 * 48)
    expect(rows.every(Number.isFinite)).toBe(true)
    expect(rows.subarray(0, 8 * 48)).toEqual(rows.subarray(8 * 48))
  })

  test('refuses sizes that do not fit', () => {
    const config = expect.objectContaining({ code: 'ENCODERS_CONFIG' })
    expect(made({ patchSize: 100 })).toThrow(config)
    expect(made({ embedDim: 66 })).toThrow(config)
    expect(made({ numLeads: 12 })).toThrow(config)
    expect(made({ depth: 1e9 })).toThrow(config)
    const shape = expect.objectContaining({ code: 'ENCODERS_ECG_SHAPE' })
    expect(() =>
      ecgBatch({ config: nanoEcgJepa, pooling: 'mean' }, [{ ...ecg, signalMv: new Float32Array(9) }]),
    ).toThrow(shape)
  })
})

describe('readEcgJepaConfig', () => {
  test('reads what it writes', () => {
    expect(readEcgJepaConfig(writeEcgJepaConfig(nanoEcgJepa))).toEqual(nanoEcgJepa)
  })

  test('refuses positions that it does not have', () => {
    expect(() => readEcgJepaConfig({ pos_type: 'rope' })).toThrow(expect.objectContaining({ code: 'ENCODERS_CONFIG' }))
  })
})
