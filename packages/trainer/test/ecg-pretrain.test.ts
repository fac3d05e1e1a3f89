import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { loadModel, saveModel } from '@qoq-med/model'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseConfig, train, type TrainConfig } from '../src/index.ts'
import { metrics, smallConfig, stopAndResume, weightHash } from './small-run.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-pretrain-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 24, domains: ['ecg', 'mri'] })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const stage = {
  name: 'jepa',
  algorithm: 'ecg-pretrain',
  steps: 4,
  batchSize: 3,
  learningRate: 2e-3,
  checkpointEvery: 2,
  mask: 'block',
  maskScale: [0.175, 0.225],
}

async function runStage(name: string, fields: object, overrides: readonly string[] = []) {
  const out = join(folder, name)
  await train(smallConfig([{ ...stage, ...fields }], { overrides, splits: ['train'] }), { baseFolder: folder, out })
  return { out, records: await metrics(out) }
}

describe('a stage of ECG pre-training', () => {
  test('measures its loss on ECGs that do not train and leaves its best encoder, resumed to the same bits', async () => {
    // A rate at which the loss goes up again: the best is not the last.
    const fields = { learningRate: 5e-2, validate: { every: 1, samples: 4, split: 'test', patience: 3 } }
    const { out, records } = await runStage('validated', fields)
    const validations = records.filter(({ type }) => type === 'validation')
    expect(validations[0]).toMatchObject({ stage: 'jepa', step: 0, samples: expect.any(Number) })
    const losses = validations.map(({ validationLoss }) => Number(validationLoss))
    expect(losses.every(loss => loss > 0)).toBe(true)
    const best = Number(validations[losses.indexOf(Math.min(...losses))]!['step'])
    const [left, kept] = await Promise.all(
      ['model', `checkpoints/stage-0-step-${best}/model`].map(path => loadModel(join(out, path))),
    )
    for (const { name } of left!.store.parameters)
      expect(Buffer.compare(bytes(left!.store.weights(name)), bytes(kept!.store.weights(name)))).toBe(0)
    const again = join(folder, 'validated-resumed')
    const config = smallConfig([{ ...stage, ...fields }], { splits: ['train'] })
    await stopAndResume(config, { baseFolder: folder, out: again, after: 2 })
    expect(await metrics(again)).toEqual(records)
    expect(await weightHash(again)).toBe(await weightHash(out))
  }, 120_000)

  test('has the same bits in every memory mode', async () => {
    const [fast, small] = [
      await runStage('fast', { steps: 2 }),
      await runStage('small', { steps: 2 }, ['memory=recompute']),
    ]
    expect(small.records).toEqual(fast.records)
    expect(await weightHash(small.out)).toBe(await weightHash(fast.out))
  }, 120_000)

  test('stops at a value that is not finite, naming step and samples, or leaves the step out', async () => {
    const { out } = await runStage('sound', { steps: 1 })
    const { model, store } = await loadModel(join(out, 'model'))
    store.weights('time_series_embedding.encoder.W_P.weight')[0] = Number.NaN
    await saveModel(join(folder, 'broken'), model, name => store.weights(name))
    const stopped = join(folder, 'stopped')
    await expect(train(fromBroken({}), { baseFolder: folder, out: stopped })).rejects.toMatchObject({
      code: 'TRAINER_NOT_FINITE',
      message: expect.stringMatching(/^The loss is not finite in step 1 of the stage jepa \(samples mini_clinic_ecg/),
    })
    expect(await readdir(join(stopped, 'checkpoints'))).toEqual(['stage-0-step-0'])
    const skipped = join(folder, 'skipped')
    await train(fromBroken({ onNotFinite: 'skip', steps: 2 }), { baseFolder: folder, out: skipped })
    expect((await metrics(skipped)).map(({ step, skipped: isSkipped }) => [step, isSkipped])).toEqual([
      [1, true],
      [2, true],
    ])
  }, 120_000)

  test('accumulates microbatches and clips', async () => {
    const [whole, parts] = [
      await runStage('whole', { steps: 1 }),
      await runStage('parts', { steps: 1, microbatchSize: 2, maxGradientNorm: 1e-4 }),
    ]
    for (const name of ['loss', 'gradientNorm'])
      expect(Number(parts.records[0]![name]) / Number(whole.records[0]![name])).toBeCloseTo(1, 5)
  }, 60_000)
})

/** The stage on the checkpoint `broken`, which brings its limit of pixels. */
function fromBroken(fields: object): TrainConfig {
  const { model: _, data, ...rest } = smallConfig([{ ...stage, ...fields }], { splits: ['train'] })
  const { maxPixels: __, ...sources } = data
  return parseConfig({ ...rest, data: sources, model: { checkpoint: 'broken' } })
}

function bytes(values: Float32Array): Buffer {
  return Buffer.from(values.slice().buffer)
}
