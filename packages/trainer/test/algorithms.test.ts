import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { loadModel } from '@qoq-med/model'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listCheckpoints, loadOptimizer } from '../src/run/checkpoint.ts'
import { policyAlgorithms, train, type TrainConfig } from '../src/index.ts'
import { metrics, shortStage, smallConfig, stopAndResume, weightHash } from './small-run.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-algorithms-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 12, domains: ['ecg', 'mri'] })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function samples(run: string): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(join(run, 'samples.jsonl'), 'utf8')).trim().split('\n')
  return lines.map(line => JSON.parse(line))
}

async function runStage(name: string, stage: Readonly<Record<string, unknown>>) {
  const out = join(folder, name)
  await train(smallConfig([{ ...shortStage, ...stage }]), { baseFolder: folder, out })
  return { out, records: await metrics(out) }
}

describe('every algorithm', () => {
  test.for(policyAlgorithms.map(algorithm => ({ algorithm })))(
    '$algorithm makes its steps with finite numbers and moves the weights',
    { timeout: 120_000 },
    async ({ algorithm }) => {
      const { records } = await runStage(algorithm, { algorithm, steps: 1 })
      expect(records.map(({ step }) => step)).toEqual([1])
      for (const record of records) {
        expect(JSON.stringify(record)).not.toContain('null')
        expect(record).toMatchObject({ algorithm, updates: 1, skippedUpdates: 0 })
        expect(record.gradientNorm).toBeGreaterThan(0)
        expect(record.logprobGap).toBeLessThan(1e-3)
      }
    },
  )
})

describe('ppo', () => {
  test('trains its critic, first alone, and resumes it to the same bits', { timeout: 200_000 }, async () => {
    const stage = { algorithm: 'ppo', steps: 4, groupSize: 1, critic: { learningRate: 1e-3, warmupSteps: 1 } }
    const { out, records } = await runStage('ppo-whole', stage)
    expect(records[0]).toMatchObject({ value: 0, valueLoss: expect.any(Number) })
    expect(records[0]).not.toHaveProperty('loss')
    for (const record of records.slice(1)) expect(record.value).not.toBe(0)
    const again = join(folder, 'ppo-resumed')
    await stopAndResume(smallConfig([{ ...shortStage, ...stage }]), { baseFolder: folder, out: again, after: 2 })
    expect(await metrics(again)).toEqual(records)
    expect(await weightHash(again)).toBe(await weightHash(out))
  })

  test('has the same bits in every memory mode, its critic too', { timeout: 120_000 }, async () => {
    const stage = { algorithm: 'ppo', steps: 2, critic: { learningRate: 1e-3 } }
    const config = (memory: string): TrainConfig =>
      smallConfig([{ ...shortStage, ...stage }], { overrides: [`memory=${memory}`] })
    const outs = ['fast', 'recompute'].map(memory => join(folder, `ppo-${memory}`))
    await train(config('fast'), { baseFolder: folder, out: outs[0] })
    await train(config('recompute'), { baseFolder: folder, out: outs[1] })
    expect(await metrics(outs[1]!)).toEqual(await metrics(outs[0]!))
    expect(await weightHash(outs[1]!)).toBe(await weightHash(outs[0]!))
  })

  test('gives every token an advantage of its own', { timeout: 60_000 }, async () => {
    const { out } = await runStage('ppo-tokens', {
      algorithm: 'ppo',
      steps: 1,
      advantage: { lambda: 0.95, gamma: 0.9 },
    })
    const [first] = await samples(out)
    expect(new Set(first!.advantage as number[]).size).toBeGreaterThan(1)
  })
})

test('remax compares with the most likely answer to the same question', { timeout: 60_000 }, async () => {
  const { out } = await runStage('remax-baseline', { algorithm: 'remax', steps: 1 })
  for (const { reward, baseline, advantage } of await samples(out)) {
    expect(advantage).toBeCloseTo(Number(reward) - Number(baseline), 9)
  }
})

test('reinforce++ takes the penalty from the reward of each token', { timeout: 60_000 }, async () => {
  const stage = { algorithm: 'reinforce++', updateEpochs: 2, steps: 2, klCoefficient: 0.5, learningRate: 1e-3 }
  const { out } = await runStage('reinforce-reward', stage)
  const rows = (await samples(out)).filter(({ step }) => step === 2)
  // Without the penalty all tokens of a response had one return, γ being 1.
  for (const { advantage } of rows) expect(new Set(advantage as number[]).size).toBeGreaterThan(1)
})

describe('dynamic sampling', () => {
  test('asks more questions while groups have equal rewards, within its bound', { timeout: 60_000 }, async () => {
    // Nobody boxes an answer here, so every group is constant.
    const stage = { algorithm: 'grpo', steps: 1, dynamicSampling: { maxRounds: 3 } }
    const out = join(folder, 'dynamic-constant')
    await train(smallConfig([{ ...shortStage, ...stage }], { rewards: { accuracy: 1 } }), { baseFolder: folder, out })
    expect((await metrics(out))[0]).toMatchObject({ constantGroups: 1, samplingRounds: 3, askedQuestions: 6 })
  })

  test('keeps groups that teach, and resumes at the same question', { timeout: 120_000 }, async () => {
    const stage = { algorithm: 'grpo', dynamicSampling: { maxRounds: 4 }, rollout: { maxNewTokens: 3 }, groupSize: 2 }
    const { out, records } = await runStage('dynamic', stage)
    const again = join(folder, 'dynamic-resumed')
    await stopAndResume(smallConfig([{ ...shortStage, ...stage }]), { baseFolder: folder, out: again, after: 1 })
    expect(await metrics(again)).toEqual(records)
    expect(await weightHash(again)).toBe(await weightHash(out))
  })
})

test('an adaptive penalty follows the measured KL and is resumed', { timeout: 120_000 }, async () => {
  const stage = { algorithm: 'grpo', klCoefficient: 0.1, adaptiveKl: { target: 0.01, horizon: 40 } }
  const { records } = await runStage('adaptive', stage)
  // No KL in the first step: β falls by 20 % · 4 rollouts / 40.
  expect(records.map(({ klCoefficient }) => klCoefficient).slice(0, 2)).toEqual([0.1, 0.1 * 0.98])
  const again = join(folder, 'adaptive-resumed')
  await stopAndResume(smallConfig([{ ...shortStage, ...stage }]), { baseFolder: folder, out: again, after: 2 })
  expect(await metrics(again)).toEqual(records)
})

test('long answers lose reward', { timeout: 60_000 }, async () => {
  const stage = { algorithm: 'grpo', steps: 1, overlong: { buffer: 12, penalty: 0.5 } }
  const { out, records } = await runStage('overlong', stage)
  const cutOff = (await samples(out)).filter(({ finish }) => finish === 'length')
  expect(cutOff.length).toBeGreaterThan(0)
  for (const { reward, parts } of cutOff) {
    const { accuracy, length } = parts as { accuracy: number; length: number }
    expect(reward).toBeCloseTo((accuracy + length) / 2 - 0.5, 9)
  }
  expect(records[0]!.reward).toBeGreaterThanOrEqual(0)
})

describe('validation', () => {
  test('keeps the best checkpoint, leaves its weights, and ends when patience does', { timeout: 120_000 }, async () => {
    const out = join(folder, 'patience')
    // An untrained policy answers nothing right, so the start is the best.
    const stage = {
      ...shortStage,
      algorithm: 'grpo',
      steps: 9,
      validate: { every: 2, samples: 4, split: 'test', patience: 2, draw: 'by-domain' },
    }
    const config = smallConfig([stage], { splits: ['train'], keep: 1 })
    await train(config, { baseFolder: folder, out })
    const records = await metrics(out)
    const validations = records.filter(({ type }) => type === 'validation')
    expect(validations.map(({ step, accuracy }) => ({ step, accuracy }))).toEqual(
      [0, 2, 4].map(step => ({ step, accuracy: 0 })),
    )
    expect(validations[0]).toMatchObject({ overall: 0, interval: [0, 0] })
    expect(records.filter(({ type }) => type === undefined).map(({ step }) => step)).toEqual([1, 2, 3, 4])
    const again = join(folder, 'patience-resumed')
    await stopAndResume(config, { baseFolder: folder, out: again, after: 3 })
    expect(await metrics(again)).toEqual(records)
    expect(await weightHash(again)).toBe(await weightHash(out))
    // Resumed once more, a finished run makes no further step.
    await train(config, { baseFolder: folder, out, resume: true })
    expect(await metrics(out)).toEqual(records)
  })
})

describe('a reward that is not a number', () => {
  test('stops the run, naming step, sample and reward; the last checkpoint is whole', { timeout: 60_000 }, async () => {
    const out = join(folder, 'nan-reward')
    // One trial, then four answers a step: the second of the second step.
    const module = 'let n = 0\nexport default () => ({ score: ++n === 7 ? NaN : (n % 3) / 3 })\n'
    await writeFile(join(folder, 'sometimes.mjs'), module)
    const rewards = { accuracy: 0.5, mine: { weight: 0.5, path: 'sometimes.mjs' } }
    const config = smallConfig([{ ...shortStage, algorithm: 'grpo', steps: 2 }], { rewards })
    await expect(train(config, { baseFolder: folder, out })).rejects.toMatchObject({
      code: 'TRAINER_NOT_FINITE',
      message: expect.stringMatching(
        /^The reward is not finite in step 2 of the stage rl \(sample mini_clinic_.*, reward mine: Reward mine answered NaN for sample .*\)\.$/,
      ),
    })
    const last = (await listCheckpoints(out)).at(-1)!
    expect(last.position).toMatchObject({ stageIndex: 0, step: 1 })
    const { model } = await loadModel(join(last.folder, 'model'))
    expect(Object.keys((await loadOptimizer(last)).firstMoments).length).toBeGreaterThan(model.parameters.length / 2)
  })

  test('leaves the step out where the stage says so', { timeout: 60_000 }, async () => {
    const out = join(folder, 'nan-skipped')
    const stage = { ...shortStage, algorithm: 'grpo', onNotFinite: 'skip', steps: 2 }
    await writeFile(join(folder, 'always.mjs'), 'let n = 0\nexport default () => ({ score: n++ === 0 ? 1 : NaN })\n')
    const rewards = { mine: { weight: 1, path: 'always.mjs' } }
    await train(smallConfig([stage], { rewards }), { baseFolder: folder, out })
    expect((await metrics(out)).map(({ step, skipped }) => ({ step, skipped }))).toEqual([
      { step: 1, skipped: true },
      { step: 2, skipped: true },
    ])
  })
})

test('the same configuration and seed give the same rewards, advantages and weights', { timeout: 90_000 }, async () => {
  const stage = { algorithm: 'drpo', steps: 2, advantage: { history: 'running' } }
  const first = await runStage('same-1', stage)
  const second = await runStage('same-2', stage)
  const prints = first.records.map(({ fingerprints }) => fingerprints as { rewards: string; advantages: string })
  for (const { rewards, advantages } of prints) {
    expect(rewards).toMatch(/^[0-9a-f]{16}$/)
    expect(advantages).toMatch(/^[0-9a-f]{16}$/)
  }
  expect(second.records).toEqual(first.records)
  expect(await weightHash(second.out)).toBe(await weightHash(first.out))
})

test('sums up what a run took', { timeout: 60_000 }, async () => {
  const out = join(folder, 'summary')
  const warm = { name: 'warm', algorithm: 'sft', steps: 1, batchSize: 2, learningRate: 1e-3 }
  const { stages } = await train(smallConfig([warm, { ...shortStage, steps: 2 }]), { baseFolder: folder, out })
  expect(stages).toMatchObject([
    { stage: 'warm', algorithm: 'sft', steps: 1, skippedSteps: 0 },
    { stage: 'rl', algorithm: 'drpo', steps: 2, rewardAndAdvantageShare: expect.any(Number) },
  ])
  expect(stages[0]).not.toHaveProperty('rewardAndAdvantageShare')
})

test('stops where sampler and trainer disagree by more than is allowed', { timeout: 60_000 }, async () => {
  const config = smallConfig([{ ...shortStage, logprobGap: { warn: 1e-9, limit: 1e-9 } }])
  const run = train(config, { baseFolder: folder, out: join(folder, 'gap') })
  await expect(run).rejects.toMatchObject({
    code: 'TRAINER_LOGPROB_GAP',
    message: expect.stringMatching(/in step 1 of the stage rl \(sample mini_clinic/),
  })
})
