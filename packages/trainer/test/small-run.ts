import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadModel } from '@qoq-med/model'
import { parseConfig, train, type TrainConfig } from '../src/index.ts'

/** A stage of reinforcement learning that takes about a second. */
export const shortStage = {
  name: 'rl',
  algorithm: 'drpo',
  steps: 3,
  questionsPerStep: 2,
  groupSize: 2,
  microbatchSize: 4,
  learningRate: 1e-4,
  checkpointEvery: 1,
  rollout: { maxNewTokens: 12 },
}

/** A run on the mini clinic in `clinic`; its rewards tell the answers of an untrained policy apart by their length. */
export function smallConfig(
  stages: readonly unknown[],
  { overrides = [], splits = ['train', 'valid', 'test'], ...rest }: SmallRun = {},
): TrainConfig {
  const value = {
    name: 'small',
    threads: 1,
    model: { preset: 'qoq-nano', vocabularySize: 400 },
    data: {
      splits,
      maxPixels: 3136,
      sources: ['ecg', 'mri'].map(domain => ({ dataset: `mini_clinic_${domain}`, root: 'clinic' })),
    },
    rewards: { accuracy: 0.5, length: 0.5 },
    ...rest,
    stages,
  }
  return parseConfig(value, overrides)
}

interface SmallRun {
  readonly overrides?: readonly string[]
  readonly splits?: readonly string[]
  readonly rewards?: unknown
  readonly keep?: number
}

/** sha256 over the weights that a run left. */
export async function weightHash(run: string): Promise<string> {
  const { store } = await loadModel(join(run, 'model'))
  const hash = createHash('sha256')
  for (const { name } of store.parameters) {
    hash.update(Uint8Array.from(new Uint8Array(store.weights(name).slice().buffer)))
  }
  return hash.digest('hex')
}

/** The metrics of a run without what depends on the clock. */
export async function metrics(run: string): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(join(run, 'metrics.jsonl'), 'utf8')).trim().split('\n')
  return lines.map(line => {
    const { seconds: _, times: __, tokensPerSecond: ___, rewardAndAdvantageShare: ____, ...rest } = JSON.parse(line)
    return rest
  })
}

/** Runs a configuration, stopping after a step, and resumes it, with the same one or another. */
export async function stopAndResume(
  config: TrainConfig,
  { baseFolder, out, after }: { baseFolder: string; out: string; after: number },
  resumed = config,
): Promise<void> {
  const stopper = new AbortController()
  const stopped = train(config, {
    baseFolder,
    out,
    signal: stopper.signal,
    onStep: ({ step }) => {
      if (step === after) stopper.abort()
    },
  })
  await stopped.then(
    () => Promise.reject(new Error('the run was not stopped')),
    (error: { code?: string }) => {
      if (error.code !== 'TRAINER_ABORTED') throw error
    },
  )
  await train(resumed, { baseFolder, out, resume: true })
}
