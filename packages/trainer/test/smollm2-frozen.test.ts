import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sample } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseConfig, train } from '../src/index.ts'
import { metrics } from './small-run.ts'

const file = process.env['QOQ_SMOLLM2']
const reason = file === undefined ? ': set QOQ_SMOLLM2 to the GGUF file (tooling/oracles/unpack_smollm2.py)' : ''

const samples = ['Normal', 'Effusion'].map((answer): Sample => ({
  id: `own/${answer}`,
  dataset: 'own',
  domain: 'multimodal',
  patientId: answer,
  modality: ['text'],
  split: 'train',
  question: `The report says: ${answer === 'Normal' ? 'clear lungs' : 'fluid at the base'}. Which label fits: Normal, Effusion?`,
  labels: ['Normal', 'Effusion'],
  answer: [answer],
  answerMode: 'single',
  files: [],
  reference: () => `\\boxed{${answer}}`,
}))

describe.skipIf(file === undefined)(`adapters on SmolLM2-135M, frozen on disk${reason}`, () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'qoq-smollm2-'))
    process.env['QOQ_CACHE_DIR'] = join(folder, 'packed')
  })
  afterAll(async () => {
    delete process.env['QOQ_CACHE_DIR']
    await rm(folder, { recursive: true, force: true })
  })

  const lossesOf = async (weights: string): Promise<number[]> => {
    const out = join(folder, weights)
    const lora = { rank: 8, alpha: 16 }
    const stage = { name: 'warm', algorithm: 'sft', steps: 6, batchSize: 2, learningRate: 1e-3, lora }
    const model = { checkpoint: file, weights }
    const config = parseConfig({ name: weights, model, data: { sources: [] }, stages: [stage] })
    await train(config, { out, samples })
    return (await metrics(out)).map(({ loss }) => Number(loss))
  }

  // What the base begins with differs by its rounding alone; that of its own four bits is widened exactly in float32.
  test('learn whatever type the base is kept in', { timeout: 300_000 }, async () => {
    const want = await lossesOf('float32')
    expect(want.at(-1)).toBeLessThan(0.5 * want[0]!)
    for (const [weights, most] of [
      ['bfloat16', 0.02],
      ['int4', 0.6],
    ] as const) {
      const got = await lossesOf(weights)
      expect(Math.abs(got[0]! - want[0]!) / want[0]!).toBeLessThan(most)
      expect(got.at(-1)).toBeLessThan(0.6 * got[0]!)
    }
  })
})
