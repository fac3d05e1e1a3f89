import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Sample } from '@qoq-med/data-climb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseConfig, train } from '../src/index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-media-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const mebibyte = 2 ** 20
const edge = 56
/** Patches of 14 x 14 x 3 pixels, twice in time, as 32-bit numbers. */
const patchBytes = (edge / 14) ** 2 * 14 * 14 * 3 * 2 * 4

const samples = Array.from({ length: 512 }, (_, i): Sample => ({
  id: `own/${i}`,
  dataset: 'own',
  domain: 'mri',
  patientId: String(i),
  modality: ['image'],
  split: 'train',
  question: 'Which label fits: a, b?',
  labels: ['a', 'b'],
  answer: ['a'],
  answerMode: 'single',
  files: [],
  images: () => Promise.resolve([{ width: edge, height: edge, data: new Uint8Array(edge * edge * 3).fill(i % 256) }]),
  reference: () => '\\boxed{a}',
}))

/** Questions that are more than fit. */
const few = 160
const mediaBytes = 4 * mebibyte

const configOf = (questionsPerStep: number) =>
  parseConfig({
    name: 'media',
    model: { preset: 'qoq-pico', vocabularySize: 300 },
    data: { sources: [], maxPixels: edge * edge, mediaBytes },
    rewards: { exactMatch: 1 },
    stages: [
      {
        name: 'rl',
        algorithm: 'grpo',
        steps: 1,
        learningRate: 1e-4,
        questionsPerStep,
        groupSize: 2,
        microbatchSize: 16,
        klCoefficient: 0,
        logprobGap: { over: 'first' },
        rollout: { maxNewTokens: 1 },
      },
    ],
  })

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void // the flag makes it

/** The most memory that arrays took during a run of one step. */
async function peakOf(questions: number): Promise<number> {
  let peak = 0
  const timer = setInterval(() => {
    collectGarbage()
    peak = Math.max(peak, process.memoryUsage().arrayBuffers)
  }, 200)
  try {
    const given = samples.slice(0, questions)
    await train(configOf(questions), { baseFolder: folder, out: join(folder, String(questions)), samples: given })
  } finally {
    clearInterval(timer)
  }
  return peak
}

test(
  'a step of 512 questions with pictures holds its media under the configured bytes',
  { timeout: 300_000 },
  async () => {
    expect((samples.length - few) * patchBytes).toBeGreaterThan(6 * mediaBytes)
    // A few that are more than fit need the same model, graphs and optimizer, and as long as its peak is looked for often.
    const base = await peakOf(few)
    const peak = await peakOf(samples.length)
    expect(peak - base).toBeLessThan(mediaBytes)
  },
)
