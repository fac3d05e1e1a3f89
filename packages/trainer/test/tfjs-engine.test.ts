import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { initialiseModel, nanoModel, saveModel, trainTokenizer } from '@qoq-med/model'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseConfig, readMetrics, train } from '../src/index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-tfjs-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 12, domains: ['ecg', 'mri'] })
  const words = ['What does the recording show? <think>It shows</think> \\boxed{Normal} bbox_2d label']
  const tokenizer = trainTokenizer(words, { vocabSize: 320 })
  const sizes = { hiddenSize: 64, intermediateSize: 128, numLayers: 1, numHeads: 2, numKvHeads: 1, headDim: 32 }
  const { model, store } = initialiseModel(nanoModel(tokenizer, { decoder: sizes, images: { maxPixels: 3136 } }), 3)
  await saveModel(join(folder, 'tiny'), model, name => store.weights(name))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The losses of twenty steps of supervised fine-tuning on simulated ECGs and pictures. */
async function losses(device: 'cpu' | 'tfjs'): Promise<number[]> {
  const config = parseConfig({
    name: 'engine',
    threads: 1,
    device,
    model: { checkpoint: 'tiny' },
    data: {
      splits: ['train', 'valid', 'test'],
      sources: ['ecg', 'mri'].map(domain => ({ dataset: `mini_clinic_${domain}`, root: 'clinic' })),
    },
    stages: [{ name: 'warm', algorithm: 'sft', steps: 20, batchSize: 2, microbatchSize: 2, learningRate: 2e-3 }],
  })
  const out = join(folder, device)
  await train(config, { baseFolder: folder, out })
  return (await readMetrics(out)).map(({ loss }) => Number(loss))
}

test('TensorFlow.js trains end to end: its loss curve is that of ONNX Runtime within 1e-3 over 20 steps', async () => {
  const ort = await losses('cpu')
  const tfjs = await losses('tfjs')
  expect(tfjs).toHaveLength(20)
  const difference = Math.max(...tfjs.map((loss, i) => Math.abs(loss - ort[i]!)))
  expect(difference).toBeLessThan(1e-3)
  expect(difference).toBeGreaterThan(0) // two engines: not a bit of one came out of the other
  // The curve falls: both engines learn.
  expect(ort.at(-1)!).toBeLessThan(ort[0]! - 1)
}, 400_000)
