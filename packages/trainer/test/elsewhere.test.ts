import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { estimateAdvantages } from '@qoq-med/core-drpo'
import { synthesise } from '@qoq-med/data-climb'
import { loadModel } from '@qoq-med/model'
import { combine, loadWeights, scoreRows } from '@qoq-med/rewards'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ExternalEngine, Job, JobState } from '../src/engine/engine.ts'
import { elsewhere } from '../src/engine/run-elsewhere.ts'
import type { TrainOptions } from '../src/engine/train-options.ts'
import { explainRollout, readMetrics, readRollouts, type TrainConfig } from '../src/index.ts'
import { shortStage, smallConfig } from './small-run.ts'

// An engine that answers by rote stands for TRL and verl: what is refused, sent, followed and brought back is the same for all.

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-elsewhere-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 12, domains: ['mri', 'chest_xray'] })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

let out: string
beforeEach(async () => {
  out = await mkdtemp(join(folder, 'run-'))
  await rm(out, { recursive: true })
})

function config(): TrainConfig {
  const { data, ...given } = smallConfig([{ ...shortStage, advantage: { dampingScope: 'group' } }])
  const sources = ['mri', 'chest_xray'].map(domain => ({ ...data.sources[0]!, dataset: `mini_clinic_${domain}` }))
  return { ...given, data: { ...data, sources } }
}

/** How the engine behaves. */
interface Conduct {
  /** Steps that it makes; it then runs on, or ends. */
  readonly steps?: number
  readonly ends?: JobState
  /** Changes what it says of a rollout. */
  readonly change?: (rollout: Rote) => Rote
  readonly last?: string
}

interface Rote {
  readonly row: number
  readonly reward: number
  readonly advantage: number
  readonly [name: string]: unknown
}

const answers = ['It is normal.', '<think>a</think>\\boxed{No Tumor}'] as const

/** The lines of an engine's steps over the rows that it was sent: two questions with two answers each. */
async function roteLines(place: string, { steps = 3, change = one => one, last = '' }: Conduct): Promise<string[]> {
  const job = JSON.parse(await readFile(join(place, 'job.json'), 'utf8'))
  const rows = (await readFile(join(place, 'rows.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  const composite = combine(await loadWeights(job.qoq.rewards.weights, () => Promise.reject(new Error('none'))))
  const lines: string[] = []
  for (let step = 1; step <= steps; step++) {
    const asked = rows.slice(2 * step - 2, 2 * step).flatMap(row => answers.map(response => ({ row, response })))
    const scores = await scoreRows(
      asked.map(({ row, response }, id) => ({ id, response, ...JSON.parse(row.reward_model.ground_truth) })),
      composite,
    )
    const kl = asked.map((_, i) => i / 10)
    const { advantages } = estimateAdvantages(
      job.qoq.advantages.estimator,
      {
        rewards: scores.map(({ score }) => score),
        questionIds: asked.map(({ row }) => row.extra_info.index),
        domains: asked.map(({ row }) => row.extra_info.group),
        lengths: asked.map(() => 10),
        kl,
      },
      job.qoq.advantages.options,
    )
    const rollouts = asked.map(({ row, response }, i) => {
      const { score: reward, parts } = scores[i]!
      const advantage = Number(advantages[i])
      return change({
        row: row.extra_info.index,
        response,
        tokens: 10,
        finish: 'end',
        reward,
        parts,
        kl: kl[i],
        advantage,
      })
    })
    const updates = [{ loss: 0.1, gradientNorm: 1, learningRate: 1e-4, klPenalty: null }]
    lines.push(`QOQ_STEP ${JSON.stringify({ step, seconds: 2, times: { rollout: 1, update: 1 }, updates, rollouts })}`)
  }
  return [...lines, ...(last ? [last] : [`QOQ_RESULT {"model":"${join(place, 'model')}"}`])]
}

const keys: (string | undefined)[] = []
const jobs = new Map<string, { readonly log: string; state: JobState }>()

/** A job whose log is read from its beginning, in two pieces that meet within a line. */
function roteJob(id: string): Job {
  const { log } = jobs.get(id)!
  const pieces = [log.slice(0, log.length / 2), log.slice(log.length / 2)]
  return {
    id,
    state: async () => jobs.get(id)!.state,
    newLog: async function* () {
      yield* pieces.splice(0)
    },
    stop: async () => void (jobs.get(id)!.state = 'stopped'),
  }
}

function rote(conduct: Conduct = {}): ExternalEngine {
  return {
    name: 'trl',
    refused: () => [],
    settings: () => ({}),
    probe: async () => {},
    start: async ({ folder: place, environment }) => {
      keys.push(environment['QOQ_KEY'])
      const id = `rote-${jobs.size}`
      const log = (await roteLines(place, conduct)).join('\n')
      jobs.set(id, { log, state: conduct.ends ?? 'succeeded' })
      return roteJob(id)
    },
    open: roteJob,
  }
}

function run(conduct: Conduct = {}, options: TrainOptions = {}, given: TrainConfig = config()): Promise<unknown> {
  return elsewhere(rote(conduct)).train(given, {
    baseFolder: folder,
    out,
    serveRewards: async again => ({
      url: 'http://127.0.0.1:4711',
      key: again?.key ?? 'secret',
      close: async () => {},
    }),
    ...options,
  })
}

const code = (wanted: string): object => expect.objectContaining({ code: wanted })

describe('a run elsewhere', () => {
  test('leaves a run folder that is read as one of this process', { timeout: 60_000 }, async () => {
    const steps: number[] = []
    await run({}, { onStep: ({ step }) => void steps.push(step) })
    expect(steps).toEqual([1, 2, 3])
    const metrics = await readMetrics(out)
    expect(metrics).toHaveLength(3)
    expect(metrics[0]).toMatchObject({
      stage: 'rl',
      step: 1,
      loss: 0.1,
      gradientNorm: 1,
      kl: expect.closeTo(0.015, 12),
      updates: 1,
    })
    const rollouts = await readRollouts(out)
    expect(rollouts).toHaveLength(12)
    expect(rollouts[1]).toMatchObject({ response: answers[1], weights: { accuracy: 0.5, length: 0.5 } })
    expect((await explainRollout(out, { step: 2, sample: 1 })).words.join(' ')).toContain('It earned')
    expect((await loadModel(join(out, 'model'))).model.parameters.length).toBeGreaterThan(10)
    expect(await readFile(join(out, 'model', 'README.md'), 'utf8')).toContain('Research use only')
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('rl')
    expect(await readFile(join(out, 'job', 'log.txt'), 'utf8')).toBe([...jobs.values()].at(-1)!.log)
    expect(keys.at(-1)).toBe('secret')
    // The key stands in a file of its own, and nowhere else.
    for (const file of ['job.json', 'job/job.json', 'run.json', 'config.yaml', 'metrics.jsonl'])
      expect(await readFile(join(out, file), 'utf8')).not.toContain('secret')
  })

  test.for<[string, Conduct['change']]>([
    ['advantage', one => ({ ...one, advantage: one.advantage + 1e-6 })],
    ['reward', one => ({ ...one, reward: one.reward + 1e-6 })],
  ])('is ended by an %s that is not ours', { timeout: 60_000 }, async ([, change]) => {
    await expect(run({ change: change! })).rejects.toMatchObject({ code: 'TRAINER_ENGINE_DIFFERS' })
  })

  test('that fails says so in the words of its plug-in, or names its log', { timeout: 60_000 }, async () => {
    const last = 'QOQ_ERROR {"code":"SERVER_KEY_UNKNOWN","message":"The key is not known.","hint":"Make one."}'
    await expect(run({ steps: 1, ends: 'failed', last })).rejects.toMatchObject({
      code: 'SERVER_KEY_UNKNOWN',
      message: 'The key is not known.',
    })
    await rm(out, { recursive: true })
    await expect(run({ steps: 1, ends: 'failed', last: 'Traceback' })).rejects.toMatchObject({
      code: 'TRAINER_ENGINE_FAILED',
      message: expect.stringContaining('log.txt'),
    })
    await rm(out, { recursive: true })
    await expect(run({ last: 'QOQ_RESULT {"model":"/nowhere/model"}' })).rejects.toMatchObject({
      code: 'TRAINER_ENGINE_MODEL',
      message: expect.stringContaining('/nowhere/model'),
    })
  })

  test('is stopped with this process, or left and followed again', { timeout: 60_000 }, async () => {
    const aborted = AbortSignal.abort()
    await expect(run({ ends: 'running' }, { signal: aborted })).rejects.toMatchObject({ code: 'TRAINER_JOB_STOPPED' })
    const [stopped] = [...jobs.values()].slice(-1)
    expect(stopped!.state).toBe('stopped')
    await rm(out, { recursive: true })
    const left = run({ ends: 'running' }, { signal: aborted, onInterrupt: async () => 'detach' })
    await expect(left).rejects.toMatchObject({ code: 'TRAINER_JOB_LEFT' })
    const [id, entry] = [...jobs].at(-1)!
    entry.state = 'succeeded'
    const asked: unknown[] = []
    await run(
      {},
      {
        attach: true,
        serveRewards: async again => {
          asked.push(again)
          return { url: 'http://127.0.0.1:4711', close: async () => {} }
        },
        onNote: text => asked.push(text),
      },
    )
    expect(asked).toEqual([{ host: '127.0.0.1', port: 4711, key: 'secret' }, expect.stringContaining(id)])
    expect(await readMetrics(out)).toHaveLength(3)
  })

  test(
    'cannot be followed where there is none, or resumed, or started without a server',
    { timeout: 60_000 },
    async () => {
      await expect(run({}, { resume: true })).rejects.toEqual(code('TRAINER_ENGINE_FIELD'))
      await expect(run({}, { attach: true })).rejects.toEqual(code('TRAINER_NO_RUN'))
      await run()
      await rm(join(out, 'job.json'))
      await expect(run({}, { attach: true })).rejects.toEqual(code('TRAINER_NO_JOB'))
      await rm(out, { recursive: true })
      await expect(run({}, { serveRewards: undefined })).rejects.toEqual(code('TRAINER_ENGINE_MISSING'))
    },
  )

  test('refuses ECGs by name', { timeout: 60_000 }, async () => {
    await synthesise({ dir: join(folder, 'ecg', 'clinic'), seed: 7, size: 6, domains: ['ecg', 'mri'] })
    const ecg = smallConfig([shortStage])
    await expect(run({}, { baseFolder: join(folder, 'ecg') }, ecg)).rejects.toMatchObject({
      code: 'TRAINER_ENGINE_FIELD',
      message: expect.stringContaining('ECGs'),
    })
  })
})
