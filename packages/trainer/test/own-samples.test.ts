import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sample } from '@qoq-med/data-climb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseConfig, train } from '../src/index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-own-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const config = parseConfig({
  name: 'own',
  threads: 1,
  model: { preset: 'qoq-nano', vocabularySize: 400 },
  data: { sources: [] },
  stages: [{ name: 'warm', algorithm: 'sft', steps: 3, batchSize: 2, learningRate: 1e-3 }],
})

const samples = ['Normal', 'Other'].map((answer): Sample => ({
  id: `own/${answer}`,
  dataset: 'own',
  domain: 'multimodal',
  patientId: answer,
  modality: ['text'],
  split: 'train',
  question: `The report says ${answer}. Which label fits: Normal, Other?`,
  labels: ['Normal', 'Other'],
  answer: [answer],
  answerMode: 'single',
  files: [],
  reference: () => `\\boxed{${answer}}`,
}))

test('a run trains on the samples that it is given, and waits for its listener after every step', async () => {
  const events: string[] = []
  await train(config, {
    out: join(folder, 'run'),
    samples,
    onStart: start => events.push(`start with ${start.samples}`),
    onStep: async ({ step }) => {
      events.push(`step ${step}`)
      await sleep(20)
      events.push(`heard of ${step}`)
    },
  })
  const steps = [1, 2, 3].flatMap(step => [`step ${step}`, `heard of ${step}`])
  expect(events).toEqual(['start with 2', ...steps])
})

test('a run without any samples is refused', async () => {
  await expect(train(config, { out: join(folder, 'empty') })).rejects.toMatchObject({ code: 'TRAINER_NO_SAMPLES' })
})
