import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { estimateAdvantages, klEstimators, policyLoss, type PolicyLossOptions } from '@qoq-med/core-drpo'
import { combine, scoreRows } from '@qoq-med/rewards'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serveRewards } from '../src/training/serve-rewards.ts'

const python = process.env['QOQ_CLUSTER_PYTHON']
const reason = python ? '' : ' (skipped: QOQ_CLUSTER_PYTHON names no interpreter)'
const plugin = path.resolve(import.meta.dirname, '../../../tooling/verl-plugin')
const [questions, groupSize] = [512, 5]
const weights = { accuracy: 0.6, length: 0.4 }
const awayMs = 5000

/** A fixed sequence in [0, 1). */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const domains = ['ct', 'ultrasound', 'ecg', 'chest_xray']
const labels = ['Normal', 'Tumor', 'Edema']

/** Rollouts with log-probabilities of single precision: verl keeps no more. */
function batch(): readonly Rollout[] {
  const random = sequence(7)
  return Array.from({ length: questions * groupSize }, (_, at): Rollout => {
    const index = Math.floor(at / groupSize)
    const tokens = 4 + Math.floor(20 * random())
    const near = (base: readonly number[], spread: number): number[] =>
      base.map(value => Math.fround(value + spread * (random() - 0.5)))
    const old = Array.from({ length: tokens }, () => Math.fround(-3 * random()))
    const answer = labels[Math.floor(3 * random())]!
    return {
      index,
      domain: domains[index % domains.length]!,
      response: `<think>${'it is so. '.repeat(Math.floor(30 * random()))}</think>\\boxed{${answer}}`,
      truth: JSON.stringify({ answer: [labels[index % 3]], labels, answerMode: 'single' }),
      old,
      policy: near(old, 0.8),
      reference: near(old, 0.4),
    }
  })
}

interface Rollout {
  readonly index: number
  readonly domain: string
  readonly response: string
  readonly truth: string
  readonly old: readonly number[]
  readonly policy: readonly number[]
  readonly reference: readonly number[]
}

interface Answer {
  readonly where: { readonly verl: string; readonly loaded: boolean }
  readonly rewards: readonly number[]
  readonly advantages: readonly number[]
  readonly sameForEachToken: boolean
  readonly losses: readonly Readonly<Record<string, number>>[]
}

/** The losses that are compared, in verl's words and in ours. */
const losses = [
  [{ low: 0.2, high: 0.2, dual: 1e9, aggregation: 'seq-mean-token-mean' }, {}],
  [
    { low: 0.2, high: 0.3, dual: 1.35, aggregation: 'token-mean' },
    { clipRatioHigh: 0.3, dualClip: 1.35, aggregation: 'token-mean' },
  ],
] as const satisfies readonly (readonly [object, Partial<PolicyLossOptions>])[]

/** Asks verl in an actor of Ray; the server goes away for five seconds between rewards and advantages. */
async function askVerl(folder: string, rows: readonly Rollout[]): Promise<Answer> {
  const qoq = { rewards: { weights }, advantages: { estimator: 'drpo', options: {} }, readsKl: true, keptResponses: 0 }
  await writeFile(path.join(folder, 'job.json'), JSON.stringify({ qoq }))
  await writeFile(path.join(folder, 'input.json'), JSON.stringify({ rows, losses: losses.map(([options]) => options) }))
  let server = await serveRewards()
  const child = spawn(python!, ['-W', 'ignore', path.join(plugin, 'tests/verl_in_ray.py'), 'input.json'], {
    cwd: folder,
    env: {
      ...process.env,
      QOQ_URL: server.url,
      QOQ_KEY: server.key,
      QOQ_PATIENCE: '60',
      QOQ_JOB: path.join(folder, 'job.json'),
      PYTHONPATH: plugin,
      RAY_AUTH_MODE: 'disabled', // Ray would write a token into the user's folder
      VERL_PLATFORM: 'cpu',
      VERL_USE_EXTERNAL_MODULES: 'qoq_cluster.verl_cpu,qoq_cluster.verl_drpo',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (part: Buffer) => (said += part.toString()))
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('ANSWER ')) return JSON.parse(line.slice('ANSWER '.length))
      if (line !== 'SCORED') continue
      await server.close()
      child.stdin.write('\n')
      await sleep(awayMs)
      server = await serveRewards({ port: Number(new URL(server.url).port), key: server.key })
    }
    throw new Error(said.slice(-3000))
  } finally {
    child.kill()
    await server.close()
  }
}

describe.skipIf(reason !== '')(
  `verl with the plug-in in an actor of Ray, at ${questions} x ${groupSize}${reason}`,
  () => {
    let folder = ''
    const rows = batch()
    let answer: Answer
    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'qoq-verl-'))
      answer = await askVerl(folder, rows)
    }, 900_000)
    afterAll(() => rm(folder, { recursive: true, force: true }))

    const kl = rows.map(({ old, reference }) =>
      old.reduce((sum, value, i) => sum + klEstimators.k3.value(value, reference[i]!), 0),
    )

    test('has loaded it', () => {
      expect(answer.where).toMatchObject({ verl: expect.stringMatching(/^0\.9\./), loaded: true })
    })

    test('scores answers as the rewards package does', async () => {
      const scores = await scoreRows(
        rows.map(({ index, response, truth }) => ({ id: index, response, ...JSON.parse(truth) })),
        combine(weights),
      )
      expect(answer.rewards).toEqual(scores.map(({ score }) => score))
      expect(new Set(answer.rewards).size).toBeGreaterThan(20)
    })

    test('has the advantages of core-drpo, though the server was away for five seconds', () => {
      const { advantages } = estimateAdvantages('drpo', {
        rewards: answer.rewards,
        questionIds: rows.map(({ index }) => index),
        domains: rows.map(({ domain }) => domain),
        lengths: rows.map(({ old }) => old.length),
        kl,
      })
      const differences = answer.advantages.map((value, i) => Math.abs(value - Number(advantages[i])))
      expect(Math.max(...differences)).toBeLessThan(1e-6)
      expect(answer.sameForEachToken).toBe(true)
    })

    test.for(losses.map(([, options], at) => ({ at, options })))(
      'has the loss and the ratios of core-drpo with %j',
      ({ at, options }) => {
        const theirs = answer.losses[at]!
        const ours = policyLoss(
          {
            policyLogprobs: rows.map(({ policy }) => policy),
            oldLogprobs: rows.map(({ old }) => old),
            refLogprobs: rows.map(({ reference }) => reference),
            advantages: answer.advantages,
          },
          { ...options, klCoefficient: 1e-4, klEstimator: 'k3' },
        )
        const ratios = rows.flatMap(({ policy, old }) => policy.map((value, i) => Math.exp(value - old[i]!)))
        const pairs = {
          surrogate: [ours.surrogate, theirs['surrogate']!],
          klPenalty: [ours.klPenalty, theirs['klPenalty']!],
          clipFraction: [ours.clipFraction, theirs['actor/pg_clipfrac']!],
          dualClipFraction: [ours.dualClipFraction, theirs['actor/pg_clipfrac_lower']!],
          oldKl: [ours.oldKl, theirs['actor/ppo_kl']!],
          ratioMean: [ratios.reduce((sum, one) => sum + one, 0) / ratios.length, theirs['ratioMean']!],
        }
        const differences = Object.entries(pairs).map(([name, [a = 0, b = 0]]) => [name, Math.abs(a - b)] as const)
        console.log(
          `verl against core-drpo, ${JSON.stringify(options)}: ${differences.map(([name, by]) => `${name} ${by.toExponential(1)}`).join(', ')}`,
        )
        for (const [, by] of differences) expect(by).toBeLessThan(2e-6) // single precision over 30,000 tokens
        expect(ours.clipFraction).toBeGreaterThan(0.01)
        expect(ours.dualClipFraction > 0.01).toBe('dualClip' in options)
      },
    )
  },
)
