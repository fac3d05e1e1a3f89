import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { RgbImage, Sample } from '@qoq-med/data-climb'
import { saveModel, type PolicyModel } from '@qoq-med/model'
import { executorDevices } from '@qoq-med/tensor'
import { parseConfig, train, type TrainConfig } from '@qoq-med/trainer'
import { z } from 'zod'
import { randomModel } from '../base/bench-model.ts'
import { DecoderSizes, PictureSizes } from '../base/bench-sizes.ts'
import type { Measurement } from '../base/measurement.ts'
import { seededRandom } from '../base/seeded-random.ts'
import { createStepGate } from '../base/step-gate.ts'

const Options = z.object({
  threads: z.int(),
  device: z.enum(executorDevices).default('cpu'),
  decoder: DecoderSizes,
  algorithm: z.string(),
  questions: z.int(),
  groupSize: z.int(),
  promptTokens: z.int(),
  newTokens: z.int(),
  microbatchSize: z.int(),
  /** With a picture to each question. */
  pictures: PictureSizes.optional(),
})

type Settings = z.output<typeof Options>

/** A step of `qoq train`, whole: rollouts, rewards, reference, advantages, one update, and what it writes down. */
export async function policyStep(options: unknown): Promise<Measurement> {
  const settings = Options.parse(options)
  const folder = await mkdtemp(path.join(tmpdir(), 'qoq-bench-step-'))
  const { model, store } = randomModel(settings.decoder, settings.pictures)
  await saveModel(path.join(folder, 'model'), model, name => store.weights(name))
  const gate = createStepGate()
  const stop = new AbortController()
  const run = path.join(folder, 'run')
  const ended = train(runConfig(settings), {
    baseFolder: folder,
    out: run,
    samples: questionsOf(model, settings),
    signal: stop.signal,
    onStep: () => gate.wait(),
  }).then(
    () => gate.end(),
    (error: unknown) => gate.end(error),
  )
  return {
    round: async () => {
      const began = performance.now()
      await gate.next()
      const seconds = (performance.now() - began) / 1000
      return { seconds, parts: await lastTimes(path.join(run, 'metrics.jsonl'), settings) }
    },
    close: async () => {
      stop.abort()
      gate.open()
      await ended
      await rm(folder, { recursive: true })
    },
  }
}

function runConfig(settings: Settings): TrainConfig {
  return parseConfig({
    name: 'bench',
    threads: settings.threads,
    device: settings.device,
    model: { checkpoint: 'model' },
    data: { sources: [] },
    rewards: 'paper',
    stages: [
      {
        name: 'policy',
        algorithm: settings.algorithm,
        steps: 1_000_000,
        questionsPerStep: settings.questions,
        groupSize: settings.groupSize,
        microbatchSize: settings.microbatchSize,
        learningRate: 1e-6,
        klCoefficient: 0.04,
        rollout: { topP: 1, maxNewTokens: settings.newTokens },
        checkpointEvery: 1_000_000,
      },
    ],
  })
}

/** Questions whose prompts have exactly the wanted number of text tokens. */
function questionsOf(model: PolicyModel, { questions, promptTokens, pictures }: Settings): Sample[] {
  const tokensOf = (question: string): number => model.encode([{ role: 'user', content: question }]).tokenIds.length
  let text = ''
  while (tokensOf(text) < promptTokens) text += ' 7'
  if (tokensOf(text) !== promptTokens) throw new Error(`A prompt cannot have ${promptTokens} tokens.`)
  return Array.from({ length: questions }, (_, i) => ({
    id: `bench/${i}`,
    dataset: 'bench',
    domain: 'ecg',
    patientId: String(i),
    modality: [pictures ? 'image' : 'text'],
    ...(pictures && { images: () => Promise.resolve([noise(i, pictures.edge)]) }),
    split: 'train',
    question: text.slice(0, -1) + String(i % 10),
    labels: ['Normal', 'Other'],
    answer: ['Normal'],
    answerMode: 'single',
    files: [],
    reference: () => 'Normal',
  }))
}

function noise(seed: number, edge: number): RgbImage {
  const random = seededRandom(seed)
  return { width: edge, height: edge, data: Uint8Array.from({ length: 3 * edge * edge }, () => 256 * random()) }
}

const Metrics = z.object({ times: z.record(z.string(), z.number()), responseTokens: z.number() })

/** Seconds of the parts of the last step, from what the run wrote down. */
async function lastTimes(file: string, { newTokens }: Settings): Promise<Record<string, number>> {
  const line = (await readFile(file, 'utf8')).trimEnd().split('\n').at(-1) ?? ''
  const { times, responseTokens } = Metrics.parse(JSON.parse(line))
  if (responseTokens !== newTokens) throw new Error(`Answers have ${responseTokens} tokens, not ${newTokens}.`)
  return times
}
