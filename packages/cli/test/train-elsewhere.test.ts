import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { estimateAdvantages } from '@qoq-med/core-drpo'
import { synthesise } from '@qoq-med/data-climb'
import { combine, scoreRows } from '@qoq-med/rewards'
import { readMetrics, readRollouts } from '@qoq-med/trainer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serveRewards } from '../src/training/serve-rewards.ts'
import { startRay, type RayCluster } from './ray-cluster.ts'

const python = process.env['QOQ_CLUSTER_PYTHON'] ?? ''
const reason = python ? '' : ' (skipped: QOQ_CLUSTER_PYTHON names no interpreter)'
const binary = path.resolve(import.meta.dirname, '../src/bin.ts')
const [steps, questionsPerStep, groupSize] = [6, 4, 4]
const weights = { accuracy: 0.5, length: 0.5 }
const hangMs = 900_000 // on a machine that does other things too

/** A whole training in two processes that talk over gloo; each step is two updates. */
const configuration = {
  name: 'elsewhere',
  cluster: { processes: 2, patience: 120, rollout: 'transformers' },
  threads: 2,
  keptRollouts: questionsPerStep * groupSize,
  model: { preset: 'qoq-nano', vocabularySize: 400 },
  data: {
    maxPixels: 3136,
    sources: ['mri', 'chest_xray'].map(domain => ({ dataset: `mini_clinic_${domain}`, root: 'clinic' })),
  },
  rewards: weights,
  stages: [
    {
      name: 'drpo',
      algorithm: 'drpo',
      steps,
      questionsPerStep,
      groupSize,
      microbatchSize: 2,
      minibatches: 2,
      learningRate: 1e-4,
      rollout: { maxNewTokens: 16 },
      advantage: { dampingScope: 'group' },
    },
  ],
}

let cwd = ''
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-elsewhere-'))
  await synthesise({ dir: path.join(cwd, 'clinic'), size: 60, seed: 7, domains: ['mri', 'chest_xray'] })
  await writeFile(path.join(cwd, 'run.yaml'), JSON.stringify(configuration))
}, 60_000)
afterAll(() => rm(cwd, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly text: string
}

function qoq(...argv: string[]): { readonly ended: Promise<Ended>; kill(): void } {
  const child = spawn(process.execPath, ['--conditions=@qoq-med/source', binary, ...argv], { cwd })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part.toString()))
  const ended = new Promise<Ended>(resolve => child.on('close', code => resolve({ code, text })))
  return { ended, kill: () => child.kill('SIGKILL') }
}

async function lines(file: string): Promise<number> {
  return (await readFile(path.join(cwd, file), 'utf8').catch(() => '')).split('\n').length - 1
}

interface Row {
  readonly reward_model: { readonly ground_truth: string }
  readonly extra_info: { readonly domain: string }
}

async function jsonLines(file: string): Promise<Row[]> {
  const text = await readFile(path.join(cwd, file), 'utf8')
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}

interface Said {
  readonly step: number
  readonly rollouts: readonly { row: number; response: string; tokens: number; kl: number }[]
}

async function saidSteps(file: string): Promise<Said[]> {
  const text = await readFile(path.join(cwd, file), 'utf8')
  return [...text.matchAll(/QOQ_STEP (\{.*\})/g)].map(([, json = '']) => JSON.parse(json))
}

/** Rewards and advantages of a run folder are those that are made here of its answers. */
async function expectOurs(folder: string): Promise<void> {
  const run = path.join(cwd, folder)
  const metrics = await readMetrics(run)
  expect(metrics.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6])
  const rollouts = await readRollouts(run)
  expect(rollouts).toHaveLength(steps * questionsPerStep * groupSize)
  const truths = (await jsonLines(`${folder}/job/rows.jsonl`)).map(row => JSON.parse(row.reward_model.ground_truth))
  const domains = (await jsonLines(`${folder}/job/rows.jsonl`)).map(row => row.extra_info.domain)
  const saidAll = await saidSteps(`${folder}/job/log.txt`)
  expect(saidAll).toHaveLength(metrics.length)
  for (const said of saidAll) {
    const own = rollouts.filter(({ step }) => step === said.step)
    const rows = said.rollouts.map(({ row, response }, id) => ({ id, response, ...truths[row] }))
    const rewards = (await scoreRows(rows, combine(weights))).map(({ score }) => score)
    const { advantages } = estimateAdvantages(
      'drpo',
      {
        rewards,
        questionIds: said.rollouts.map(({ row }) => row),
        domains: said.rollouts.map(({ row }) => domains[row]!),
        lengths: said.rollouts.map(({ tokens }) => tokens),
        kl: said.rollouts.map(({ kl }) => kl),
      },
      { dampingScope: 'group' },
    )
    expect(own.map(({ reward }) => reward)).toEqual(rewards)
    expect(own.map(({ advantage }) => advantage)).toEqual([...advantages])
    // The policy has moved after the first step.
    expect(said.step === 1 || said.rollouts.every(({ kl }) => kl > 0)).toBe(true)
  }
}

/** Commands that read a run folder end well. */
async function expectRead(folder: string): Promise<void> {
  const words: [string, ...string[]][] = [
    ['report', folder, '--json'],
    ['explain', folder, '--step', '3', '--sample', '1'],
    ['ask', '--model', folder, '--max-new-tokens', '4', 'What is it?'],
    [
      'eval',
      '--model',
      folder,
      '--data',
      'mini_clinic_mri=clinic',
      '--max-samples',
      '2',
      '--max-new-tokens',
      '4',
      '--out',
      `eval-${folder}`,
    ],
  ]
  for (const argv of words) expect(await qoq(...argv).ended).toMatchObject({ code: 0 })
}

describe.skipIf(reason !== '').for(['trl', 'verl'])(`qoq train --engine %s${reason}`, engine => {
  let ray: RayCluster | undefined
  beforeAll(async () => {
    if (engine === 'verl') ray = await startRay(python)
  }, hangMs)
  afterAll(() => ray?.stop())

  const argv = (...more: string[]): string[] => [
    'train',
    'run.yaml',
    '--engine',
    engine,
    '--out',
    engine,
    ...(ray ? ['--ray', ray.address] : []),
    ...more,
  ]

  test('is killed, attached again, and leaves a run folder that is one of ours', { timeout: hangMs }, async () => {
    const first = qoq(...argv())
    while ((await lines(`${engine}/metrics.jsonl`)) < 2) await Promise.race([sleep(100), first.ended.then(failed)])
    first.kill()
    expect((await first.ended).code).toBe(null)
    expect(await lines(`${engine}/metrics.jsonl`)).toBeLessThan(steps)
    await sleep(5000)
    expect(await qoq(...argv('--attach')).ended).toMatchObject({
      code: 0,
      text: expect.stringContaining(`Following the ${engine} job`),
    })
    await expectOurs(engine)
    await expectRead(engine)
  })

  test.skipIf(engine === 'verl')('ends by itself where its server stays away', { timeout: hangMs }, async () => {
    const own = argv('--out', 'away', '--set', 'cluster.patience=3')
    const first = qoq(...own)
    while ((await lines('away/metrics.jsonl')) < 1) await Promise.race([sleep(100), first.ended.then(failed)])
    first.kill()
    while ((await lines('away/job/exit')) < 1) await sleep(200)
    const { code, text } = await qoq(...own, '--attach', '--json').ended
    expect({ code, text }).toMatchObject({ code: 1, text: expect.stringContaining('QOQ_SERVER_AWAY') })
  })

  test('ends with one sentence at a key that is not known', { timeout: hangMs }, async () => {
    const server = await serveRewards()
    const wrong = argv('--out', `${engine}-wrong`, '--set', `cluster.rewards=${server.url}`, '--json')
    const { code, text } = await qoq(...wrong).ended
    await server.close()
    expect({ code, text }).toMatchObject({ code: 2, text: expect.stringContaining('SERVER_KEY_MISSING') })
    expect(text).not.toContain('Traceback')
  })
})

function failed({ text }: Ended): never {
  throw new Error(text)
}
