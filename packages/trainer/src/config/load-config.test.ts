import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig, parseConfig } from './load-config.ts'

const minimal = {
  name: 'small',
  model: { preset: 'qoq-nano' },
  data: { sources: [{ dataset: 'georgia', root: 'data' }] },
  stages: [
    { name: 'warm', algorithm: 'sft', steps: 2, learningRate: 1e-3 },
    { name: 'rl', algorithm: 'drpo', steps: 2, learningRate: 1e-4 },
  ],
}

describe('parseConfig', () => {
  test('fills in the paper’s defaults', () => {
    const config = parseConfig(minimal)
    expect(config.seed).toBe(42)
    expect(config.stages[1]).toMatchObject({
      clipRatioLow: 0.2,
      klCoefficient: 1e-4,
      aggregation: 'sequence-mean-token-mean',
      rollout: { temperature: 1, topP: 0.99 },
    })
  })

  test.for([
    {
      preset: 'paper',
      algorithm: 'drpo',
      want: {
        learningRate: 1e-6,
        questionsPerStep: 512,
        groupSize: 5,
        minibatches: 4,
        clipRatioLow: 0.2,
        clipRatioHigh: 0.2,
        aggregation: 'sequence-mean-token-mean',
        rollout: { temperature: 1, topP: 0.99, maxNewTokens: 4096 },
        groupBy: 'domain',
        validate: { every: 5, samples: 1024, patience: 3, draw: 'by-domain' },
      },
    },
    {
      preset: 'release',
      algorithm: 'drpo',
      want: { groupBy: 'dataset', advantage: { history: 'running', domainMean: 'inverseClusterSize', noKl: true } },
    },
    {
      preset: 'release',
      algorithm: 'grpo',
      want: { clipRatioHigh: 0.3, dualClip: 3, aggregation: 'token-mean', klCoefficient: 1e-4 },
    },
    { preset: 'release', algorithm: 'dr-grpo', want: { aggregation: 'sequence-mean-token-sum-norm' } },
    { preset: 'nano', algorithm: 'drpo', want: { groupSize: 8, advantage: { dampingScope: 'group' } } },
    { preset: 'nano', algorithm: 'ppo', want: { critic: { learningRate: 1e-3, warmupSteps: 5, clipRange: 0.5 } } },
    { preset: undefined, algorithm: 'reinforce++', want: { klIn: 'reward', klEstimator: 'kl' } },
  ])('the preset $preset decides what a stage of $algorithm leaves open', ({ preset, algorithm, want }) => {
    const { learningRate: _, ...stage } = minimal.stages[1]!
    const rate = preset ? {} : { learningRate: 1e-4 }
    const value = { ...minimal, ...(preset && { preset }), stages: [{ ...stage, ...rate, algorithm }] }
    expect(parseConfig(value).stages[0]).toMatchObject(want)
    expect(parseConfig(parseConfig(value))).toEqual(parseConfig(value))
  })

  test('a preset gives way to what is written, field by field', () => {
    const stage = { ...minimal.stages[1]!, groupSize: 3, rollout: { maxNewTokens: 7 } }
    const config = parseConfig({ ...minimal, preset: 'paper', rewards: { accuracy: 1 }, stages: [stage] })
    expect(config).toMatchObject({ rewards: { accuracy: 1 }, data: { maxPromptTokens: 4096 } })
    expect(config.stages[0]).toMatchObject({
      learningRate: 1e-4,
      groupSize: 3,
      questionsPerStep: 512,
      rollout: { maxNewTokens: 7, topP: 0.99 },
    })
  })

  test('the preset paper trains for one epoch, unless a stage says for how many steps', () => {
    const stage = { name: 'rl', algorithm: 'drpo' }
    const parsed = (given: object) =>
      parseConfig({ ...minimal, preset: 'paper', stages: [{ ...stage, ...given }] }).stages[0]!
    expect(parsed({})).toMatchObject({ epochs: 1, steps: 0 })
    expect(parsed({ steps: 7 })).toMatchObject({ steps: 7 })
    expect(parsed({ steps: 7 }).epochs).toBeUndefined()
    expect(parsed({ epochs: 2 })).toMatchObject({ epochs: 2, steps: 0 })
    expect(() => parsed({ steps: 7, epochs: 2 })).toThrow(expect.objectContaining({ code: 'TRAINER_CONFIG_FIELD' }))
  })

  test('the preset release presents samples as the public code does', () => {
    const { data } = parseConfig({ ...minimal, preset: 'release' })
    expect(data.presentation).toMatchObject({ frames: 'pictures', ecgWindow: 'release' })
    expect(data.presentation.template).toMatch(/^\{question\} .*<think>.*"bbox_2d".*\\boxed\{\}\.$/)
    expect(parseConfig({ ...minimal, preset: 'paper' }).data.presentation).toEqual({
      template: '{question}',
      frames: 'video',
      ecgWindow: 'jepa',
    })
    const value = { ...minimal, data: { ...minimal.data, presentation: { template: 'no question' } } }
    expect(() => parseConfig(value)).toThrow(expect.objectContaining({ code: 'TRAINER_CONFIG_FIELD' }))
  })

  test('a preset leaves a stage of ECG pre-training alone', () => {
    const stage = { name: 'jepa', algorithm: 'ecg-pretrain', steps: 3, learningRate: 1e-3 }
    expect(parseConfig({ ...minimal, preset: 'paper', stages: [stage] }).stages[0]).toMatchObject(stage)
  })

  test('applies overrides by path', () => {
    const config = parseConfig(minimal, ['stages.1.steps=20', 'stages.1.rollout.temperature=0.7', 'seed=7'])
    expect(config.seed).toBe(7)
    expect(config.stages[1]).toMatchObject({ steps: 20, rollout: { temperature: 0.7 } })
    expect(minimal.stages[1]!.steps).toBe(2)
  })

  test.for([
    {
      name: 'a misspelt field',
      value: { ...minimal, sede: 1 },
      code: 'TRAINER_CONFIG_UNKNOWN',
      says: /no field sede; is seed meant/,
    },
    {
      name: 'a misspelt field of a stage',
      value: { ...minimal, stages: [{ ...minimal.stages[1], groupsize: 4 }] },
      code: 'TRAINER_CONFIG_UNKNOWN',
      says: /stages\.0 \("rl"\)\.groupsize; is groupSize meant/,
    },
    {
      name: 'a misspelt field of a rollout',
      value: { ...minimal, stages: [{ ...minimal.stages[1], rollout: { temprature: 1 } }] },
      code: 'TRAINER_CONFIG_UNKNOWN',
      says: /rollout\.temprature; is temperature meant/,
    },
    {
      name: 'a value of the wrong type',
      value: { ...minimal, stages: [{ ...minimal.stages[0], steps: 'ten' }] },
      code: 'TRAINER_CONFIG_FIELD',
      says: /stages\.0 \("warm"\)\.steps is wrong: .*number/,
    },
    {
      name: 'an unknown algorithm',
      value: { ...minimal, stages: [{ ...minimal.stages[0], algorithm: 'magic' }] },
      code: 'TRAINER_CONFIG_FIELD',
      says: /algorithm is wrong: it must be one of .*drpo/,
    },
    {
      name: 'no model',
      value: { ...minimal, model: {} },
      code: 'TRAINER_CONFIG_FIELD',
      says: /either preset or checkpoint/,
    },
    {
      name: 'a tokenizer size beside a checkpoint',
      value: { ...minimal, model: { checkpoint: 'policy', vocabularySize: 400 } },
      code: 'TRAINER_CONFIG_FIELD',
      says: /model\.vocabularySize is wrong: a checkpoint brings its own tokenizer/,
    },
    {
      name: 'a misspelt reward',
      value: { ...minimal, rewards: { acuracy: 1 } },
      code: 'REWARDS_UNKNOWN_REWARD',
      says: /acuracy/,
    },
    {
      name: 'a misspelt option of the advantages',
      value: { ...minimal, stages: [{ ...minimal.stages[1], advantage: { taw: 1 } }] },
      code: 'DRPO_UNKNOWN_OPTION',
      says: /taw/,
    },
    {
      name: 'a nucleus of nothing',
      value: { ...minimal, stages: [{ ...minimal.stages[1], rollout: { topP: 0 } }] },
      code: 'TRAINER_CONFIG_FIELD',
      says: /rollout\.topP/,
    },
    {
      name: 'one answer where answers are compared',
      value: { ...minimal, stages: [{ ...minimal.stages[1], groupSize: 1 }] },
      code: 'TRAINER_CONFIG_FIELD',
      says: /groupSize is wrong: this algorithm compares/,
    },
    {
      name: 'a critic of another algorithm than ppo',
      value: { ...minimal, stages: [{ ...minimal.stages[1], critic: {} }] },
      code: 'TRAINER_CONFIG_FIELD',
      says: /critic is wrong: only ppo/,
    },
    {
      name: 'a misspelt field of a critic',
      value: { ...minimal, stages: [{ ...minimal.stages[1], algorithm: 'ppo', critic: { warmUpStep: 3 } }] },
      code: 'TRAINER_CONFIG_UNKNOWN',
      says: /critic\.warmUpStep; is warmupSteps meant/,
    },
    {
      name: 'validation on what trains',
      value: {
        ...minimal,
        stages: [{ ...minimal.stages[1], validate: { every: 5, split: 'train' } }],
      },
      code: 'TRAINER_CONFIG_FIELD',
      says: /validate\.split is wrong: data\.splits trains on train/,
    },
    {
      name: 'an unknown preset',
      value: { ...minimal, preset: 'papers' },
      code: 'TRAINER_CONFIG_FIELD',
      says: /preset is wrong: it must be one of paper, /,
    },
    { name: 'no object', value: 'text', code: 'TRAINER_CONFIG_FIELD', says: /the top level/ },
  ])('refuses $name', ({ value, code, says }) => {
    expect(() => parseConfig(value)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(says) }))
  })

  test.for([
    { override: 'seed', code: 'TRAINER_OVERRIDE' },
    { override: '=3', code: 'TRAINER_OVERRIDE' },
    { override: 'seed=[1', code: 'TRAINER_OVERRIDE' },
    { override: 'seed=*nothing', code: 'TRAINER_OVERRIDE' },
    { override: 'seed=.nan', code: 'TRAINER_CONFIG_FIELD' },
    { override: 'stages.2.steps=1', code: 'TRAINER_CONFIG_UNKNOWN' },
    { override: 'stages.warm.steps=1', code: 'TRAINER_CONFIG_UNKNOWN' },
    { override: '__proto__.seed=1', code: 'TRAINER_CONFIG_UNKNOWN' },
    { override: 'constructor=1', code: 'TRAINER_CONFIG_UNKNOWN' },
  ])('refuses the override $override', ({ override, code }) => {
    expect(() => parseConfig(minimal, [override])).toThrow(expect.objectContaining({ code }))
  })
})

describe('loadConfig', () => {
  test('names a missing file', async () => {
    await expect(loadConfig('/nowhere/run.yaml')).rejects.toMatchObject({ code: 'TRAINER_CONFIG_MISSING' })
  })

  test.for(['a: *nothing', 'a: 1\na: 2', 'a: &a [1, 1]\nb: [*a, *a', '---\na: 1\n---\nb: 2'])(
    'refuses the YAML %j',
    async text => {
      const file = join(await mkdtemp(join(tmpdir(), 'qoq-config-')), 'run.yaml')
      await writeFile(file, text)
      await expect(loadConfig(file)).rejects.toMatchObject({ code: 'TRAINER_CONFIG_SYNTAX' })
    },
  )

  test('names the place of a YAML error', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'qoq-config-')), 'run.yaml')
    await writeFile(file, 'name: "open\nseed: 1\n')
    await expect(loadConfig(file)).rejects.toMatchObject({
      code: 'TRAINER_CONFIG_SYNTAX',
      message: expect.stringMatching(/line/),
    })
  })
})
