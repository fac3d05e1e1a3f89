import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { loadAdapter, loadModel, mergedWeights, openSafetensors, saveModel, type WeightedModel } from '@qoq-med/model'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drawRollout, explainRollout, parseConfig, train, type PolicyStage, type TrainConfig } from '../src/index.ts'

let folder: string
let whole: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-train-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 12, domains: ['ecg', 'mri'] })
  whole = join(folder, 'whole')
  await train(config(), { baseFolder: folder, out: whole })
}, 300_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The same run from a checkpoint, which brings its tokenizer and its limit of pixels. */
function configFrom(checkpoint: string): TrainConfig {
  const { model: _, data, ...rest } = config()
  const { maxPixels: __, ...sources } = data
  return { ...rest, data: sources, model: { checkpoint } }
}

function config(overrides: readonly string[] = []): TrainConfig {
  const stages = [
    {
      name: 'warm',
      algorithm: 'sft',
      steps: 4,
      batchSize: 4,
      microbatchSize: 4,
      learningRate: 2e-3,
      checkpointEvery: 2,
    },
    {
      name: 'rl',
      algorithm: 'drpo',
      steps: 3,
      questionsPerStep: 2,
      groupSize: 2,
      microbatchSize: 4,
      learningRate: 1e-4,
      checkpointEvery: 1,
      rollout: { maxNewTokens: 12 },
      // An untrained policy earns nothing by the paper's weights; length tells its answers apart.
      advantage: { seed: 3 },
    },
  ]
  const value = {
    name: 'small',
    threads: 1,
    model: { preset: 'qoq-nano', vocabularySize: 400 },
    data: {
      splits: ['train', 'valid', 'test'],
      maxPixels: 3136,
      sources: ['ecg', 'mri'].map(domain => ({ dataset: `mini_clinic_${domain}`, root: 'clinic' })),
    },
    rewards: { accuracy: 0.5, length: 0.5 },
    stages,
  }
  return parseConfig(value, overrides)
}

async function weightHash(run: string): Promise<string> {
  const { store } = await loadModel(join(run, 'model'))
  const hash = createHash('sha256')
  for (const { name } of store.parameters)
    hash.update(Uint8Array.from(new Uint8Array(store.weights(name).slice().buffer)))
  return hash.digest('hex')
}

/** The metrics of a run without what depends on the clock. */
async function metrics(run: string): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(join(run, 'metrics.jsonl'), 'utf8')).trim().split('\n')
  return lines.map(line => {
    const { seconds: _, times: __, tokensPerSecond: ___, rewardAndAdvantageShare: ____, ...rest } = JSON.parse(line)
    return rest
  })
}

/** Two steps of SFT and one of DRPO on adapters. */
function adaptedConfig(): TrainConfig {
  const { stages, ...rest } = config()
  const lora = { rank: 2, alpha: 4, dropout: 0.1, targets: ['q_proj', 'visual.*', 'time_series_embedding.linear'] }
  const steps = [2, 1]
  const adapted = stages.map((stage, i) => ({ ...stage, lora, steps: steps[i]!, checkpointEvery: 1 }))
  return parseConfig({ ...rest, stages: adapted }, [])
}

describe('train', () => {
  test('runs SFT and DRPO, leaves metrics, samples, checkpoints and a model', async () => {
    const records = await metrics(whole)
    expect(records.map(({ stage, step }) => `${String(stage)} ${String(step)}`)).toEqual([
      'warm 1',
      'warm 2',
      'warm 3',
      'warm 4',
      'rl 1',
      'rl 2',
      'rl 3',
    ])
    const losses = records.slice(0, 4).map(({ loss }) => Number(loss))
    expect(losses[3]).toBeLessThan(losses[0]!)
    for (const record of records.slice(4)) {
      expect(record.logprobGap).toBeLessThan(1e-3)
      expect(record.reward).toBeGreaterThanOrEqual(0)
      expect(record.gradientNorm).toBeGreaterThan(0)
      expect(JSON.stringify(record)).not.toContain('null')
    }
    expect((await readdir(join(whole, 'checkpoints'))).toSorted()).toEqual([
      'stage-1-step-0',
      'stage-1-step-2',
      'stage-1-step-3',
    ])
    const { model } = await loadModel(join(whole, 'model'))
    expect(model.config.decoder.vocabSize).toBe(400)
    const samples = (await readFile(join(whole, 'samples.jsonl'), 'utf8')).trim().split('\n')
    expect(samples).toHaveLength(2 * 2 * 3)
    expect(JSON.parse(samples[0]!)).toMatchObject({ stage: 'rl', step: 1, parts: { length: expect.any(Number) } })
  })

  test('gives the same bits twice', { timeout: 200_000 }, async () => {
    const again = join(folder, 'again')
    await train(config(), { baseFolder: folder, out: again })
    expect(await weightHash(again)).toBe(await weightHash(whole))
    expect(await metrics(again)).toEqual(await metrics(whole))
  })

  test.for([
    { stage: 'warm', after: 3 },
    { stage: 'rl', after: 1 },
    { stage: 'rl', after: 2 },
  ])(
    'stopped in $stage after step $after and resumed, gives the bits of an uninterrupted run',
    { timeout: 200_000 },
    async ({ stage, after }) => {
      const out = join(folder, `resumed-${stage}-${after}`)
      const stopper = new AbortController()
      const stopped = train(config(), {
        baseFolder: folder,
        out,
        signal: stopper.signal,
        onStep: progress => {
          if (progress.stage === stage && progress.step === after) stopper.abort()
        },
      })
      await expect(stopped).rejects.toMatchObject({
        code: 'TRAINER_ABORTED',
        message: expect.stringContaining(`step ${after}`),
      })
      await train(config(), { baseFolder: folder, out, resume: true })
      expect(await weightHash(out)).toBe(await weightHash(whole))
      expect(await metrics(out)).toEqual(await metrics(whole))
    },
  )

  test('goes on from the checkpoint before, when a kill left one half-written', { timeout: 200_000 }, async () => {
    const out = join(folder, 'killed')
    await cp(whole, out, { recursive: true })
    const checkpoints = join(out, 'checkpoints')
    await cp(join(checkpoints, 'stage-1-step-3'), join(checkpoints, 'stage-1-step-3.tmp'), { recursive: true })
    await rm(join(checkpoints, 'stage-1-step-3'), { recursive: true })
    await rm(join(out, 'model'), { recursive: true })
    await train(config(), { baseFolder: folder, out, resume: true })
    expect(await weightHash(out)).toBe(await weightHash(whole))
    expect(await metrics(out)).toEqual(await metrics(whole))
  })

  test(
    'stops at weights that are not numbers, naming step and place, and leaves the last checkpoint whole',
    { timeout: 200_000 },
    async () => {
      const { model, store } = await loadModel(join(whole, 'model'))
      store.weights('model.norm.weight')[0] = Number.NaN
      await saveModel(join(folder, 'broken'), model, name => store.weights(name))
      const out = join(folder, 'not-finite')
      const broken = configFrom('broken')
      await expect(train(broken, { baseFolder: folder, out })).rejects.toMatchObject({
        code: 'TRAINER_NOT_FINITE',
        message: expect.stringMatching(/loss is not finite in step 1 of the stage warm \(samples mini_clinic/),
      })
      expect(await readdir(join(out, 'checkpoints'))).toEqual(['stage-0-step-0'])
    },
  )

  test.for([
    { override: 'stages.1.domains=[ct]', code: 'TRAINER_NO_SAMPLES' },
    { override: 'stages.1.domains=[ecg, mrii]', code: 'TRAINER_NO_SAMPLES' },
    { override: 'stages.1.trainable=[model.*, modle.norm.*]', code: 'TRAINER_CONFIG_FIELD' },
    { override: 'data.sources.0.root=nowhere', code: 'DATA_ROOT_NOT_FOUND' },
  ])('refuses $override before anything is written', async ({ override, code }) => {
    const out = join(folder, 'refused')
    await expect(train(config([override]), { baseFolder: folder, out })).rejects.toMatchObject({ code })
    await expect(readdir(out)).rejects.toThrow('ENOENT')
  })

  test('stops where the policy gives no numbers, or leaves the step out', { timeout: 200_000 }, async () => {
    const { model, store } = await loadModel(join(whole, 'model'))
    store.weights('model.norm.weight')[0] = Number.NaN
    await saveModel(join(folder, 'broken-policy'), model, name => store.weights(name))
    const [, stage] = config(['stages.1.steps=1']).stages
    const broken = configFrom('broken-policy')
    const stopped = train({ ...broken, stages: [stage!] }, { baseFolder: folder, out: join(folder, 'stopped') })
    await expect(stopped).rejects.toMatchObject({
      code: 'TRAINER_NOT_FINITE',
      message: expect.stringMatching(
        /answer of the policy is not finite in step 1 of the stage rl \(samples mini_clinic/,
      ),
    })
    const out = join(folder, 'skipped')
    await train(
      { ...broken, stages: [{ ...(stage as PolicyStage), onNotFinite: 'skip' }] },
      { baseFolder: folder, out },
    )
    expect(await metrics(out)).toEqual([{ stage: 'rl', stageIndex: 0, algorithm: 'drpo', step: 1, skipped: true }])
    const hopeless = { ...broken, stages: [{ ...(stage as PolicyStage), onNotFinite: 'skip' as const, steps: 20 }] }
    await expect(train(hopeless, { baseFolder: folder, out: join(folder, 'hopeless') })).rejects.toMatchObject({
      code: 'TRAINER_NOT_FINITE',
      message: expect.stringContaining('step 10 of the stage rl (so were the 9 steps before'),
    })
  })

  test(
    'keeps all bits of a base in half precision over a stop, and writes the model in its types',
    { timeout: 200_000 },
    async () => {
      const { model, store } = await loadModel(join(whole, 'model'))
      await saveModel(join(folder, 'half'), model, name => store.weights(name), { dtype: 'BF16' })
      const [stage] = config(['stages.0.steps=2']).stages
      const half = { ...configFrom('half'), stages: [stage!] }
      const [straight, stopped] = [join(folder, 'half-straight'), join(folder, 'half-stopped')]
      await train(half, { baseFolder: folder, out: straight })
      const stopper = new AbortController()
      const run = train(half, {
        baseFolder: folder,
        out: stopped,
        signal: stopper.signal,
        onStep: () => stopper.abort(),
      })
      await expect(run).rejects.toMatchObject({ code: 'TRAINER_ABORTED' })
      await train(half, { baseFolder: folder, out: stopped, resume: true })
      expect(await metrics(stopped)).toEqual(await metrics(straight))
      expect(await weightHash(stopped)).toBe(await weightHash(straight))
      const written = await openSafetensors(join(stopped, 'model', 'model.safetensors'))
      expect(new Set(written.entries.map(({ dtype }) => dtype))).toEqual(new Set(['BF16']))
      await written.close()
    },
  )

  test('explains a rollout of a run, with its picture', async () => {
    const { rollout, words } = await explainRollout(whole, { step: 1, sample: 1 })
    expect(rollout).toMatchObject({ stage: 'rl', step: 1, index: 1 })
    const { parts, weights, explanation } = rollout
    const earned = Object.entries(parts).reduce((sum, [name, part]) => sum + part * weights[name]!, 0)
    expect(rollout.reward).toBeCloseTo(earned, 12)
    expect(explanation.numbers['reward']).toBe(rollout.reward)
    expect(words.join(' ')).toContain(`Sample ${rollout.id} of the domain ${rollout.domain}`)
    expect(words.at(-1)).toContain('advantage')
    const png = await drawRollout(whole, rollout)
    expect([...png!.subarray(1, 4)].map(byte => String.fromCharCode(byte)).join('')).toBe('PNG')
    await expect(explainRollout(whole, { step: 99 })).rejects.toMatchObject({ code: 'TRAINER_NO_ROLLOUT' })
  })

  test('refuses to train over a run', async () => {
    await expect(train(config(), { baseFolder: folder, out: whole })).rejects.toMatchObject({
      code: 'TRAINER_RUN_EXISTS',
    })
  })

  test(
    'trains adapters beside a frozen model, resumes them to the bit and merges them',
    { timeout: 300_000 },
    async () => {
      const straight = join(folder, 'lora')
      await train(adaptedConfig(), { baseFolder: folder, out: straight })
      const out = join(folder, 'lora-resumed')
      const stopper = new AbortController()
      const stopped = train(adaptedConfig(), {
        baseFolder: folder,
        out,
        signal: stopper.signal,
        onStep: ({ stage, step }) => {
          if (stage === 'warm' && step === 1) stopper.abort()
        },
      })
      await expect(stopped).rejects.toMatchObject({ code: 'TRAINER_ABORTED' })
      await train(adaptedConfig(), { baseFolder: folder, out, resume: true })
      expect(await weightHash(out)).toBe(await weightHash(straight))
      expect(await metrics(out)).toEqual(await metrics(straight))

      const base = await loadModel(join(straight, 'checkpoints/stage-1-step-0/model'))
      const adapter = await loadAdapter(join(straight, 'adapter'), base.model)
      const merged = mergedWeights(adapter.adapters, name =>
        name.includes('.lora_') ? adapter.weights(name) : base.store.weights(name),
      )
      const { store } = await loadModel(join(straight, 'model'))
      const changed = store.parameters.filter(({ name }) => !sameBytes(store.weights(name), base.store.weights(name)))
      for (const { name } of store.parameters) expect(sameBytes(store.weights(name), merged.weights(name))).toBe(true)
      expect(changed.length).toBeGreaterThan(10)
      expect(changed.every(({ name }) => adapter.adapters.targets.has(name))).toBe(true)
      const moments = await openSafetensors(join(straight, 'checkpoints/stage-1-step-1/optimizer.safetensors'))
      expect(moments.entries.every(({ name }) => name.includes('.lora_'))).toBe(true)
      await moments.close()
    },
  )

  test(
    'refuses adapters for layers that are not there, and other trainable weights beside them',
    { timeout: 60_000 },
    async () => {
      const { stages, ...rest } = adaptedConfig()
      const misnamed = stages.map(stage => ({ ...stage, lora: { rank: 2, alpha: 4, targets: ['q_prj'] } }))
      const out = join(folder, 'misnamed')
      const run = train(parseConfig({ ...rest, stages: misnamed }, []), { baseFolder: folder, out })
      await expect(run).rejects.toMatchObject({ code: 'MODEL_LORA_INVALID' })
      const both = stages.map(stage => ({ ...stage, trainable: ['visual.*'] }))
      expect(() => parseConfig({ ...rest, stages: both }, [])).toThrow(
        expect.objectContaining({ code: 'TRAINER_CONFIG_FIELD' }),
      )
    },
  )
})

/** Two stages: ECG-JEPA's pre-training, then one step of SFT. */
function pretrainConfig(): TrainConfig {
  const { stages, ...rest } = config()
  const pretrain = {
    name: 'jepa',
    algorithm: 'ecg-pretrain',
    steps: 4,
    batchSize: 3,
    learningRate: 2e-3,
    checkpointEvery: 2,
    mask: 'block',
    maskScale: [0.175, 0.225],
  }
  return parseConfig({ ...rest, stages: [pretrain, { ...stages[0], steps: 1, trainable: ['model.*'] }] }, [])
}

describe('ecg-pretrain', () => {
  test(
    'trains the ECG encoder alone, resumes to the bit and leaves it in the policy',
    { timeout: 300_000 },
    async () => {
      const straight = join(folder, 'jepa')
      await train(pretrainConfig(), { baseFolder: folder, out: straight })
      const losses = (await metrics(straight)).filter(({ stage }) => stage === 'jepa').map(({ loss }) => Number(loss))
      expect(losses).toHaveLength(4)
      expect(losses.every(loss => loss > 0 && loss < 1)).toBe(true)

      const out = join(folder, 'jepa-resumed')
      const stopper = new AbortController()
      const stopped = train(pretrainConfig(), {
        baseFolder: folder,
        out,
        signal: stopper.signal,
        onStep: ({ stage, step }) => {
          if (stage === 'jepa' && step === 3) stopper.abort()
        },
      })
      await expect(stopped).rejects.toMatchObject({ code: 'TRAINER_ABORTED' })
      const [step2, step3] = await Promise.all(
        [2, 3].map(step => loadModel(join(out, `checkpoints/stage-0-step-${step}/model`))),
      )
      const changed = changedWeights(step2!, step3!)
      expect(changed.length).toBeGreaterThan(20)
      expect(changed.every(name => name.startsWith('time_series_embedding.encoder.'))).toBe(true)
      await train(pretrainConfig(), { baseFolder: folder, out, resume: true })
      expect(await weightHash(out)).toBe(await weightHash(straight))
      expect(await metrics(out)).toEqual(await metrics(straight))

      // The SFT stage trained the decoder alone: the encoder is that of the last pre-training step.
      const [start, final] = await Promise.all(
        ['checkpoints/stage-1-step-0/model', 'model'].map(path => loadModel(join(straight, path))),
      )
      expect(changedWeights(start!, final!).every(name => name.startsWith('model.'))).toBe(true)
      expect(changedWeights(step3!, final!).some(name => name.startsWith('time_series_embedding.encoder.'))).toBe(true)
    },
  )

  test('refuses domains without an ECG', { timeout: 60_000 }, async () => {
    const { stages, ...rest } = pretrainConfig()
    const value = { ...rest, stages: [{ ...stages[0]!, domains: ['mri'] }] }
    const run = train(parseConfig(value, []), { baseFolder: folder, out: join(folder, 'no-ecg') })
    await expect(run).rejects.toMatchObject({ code: 'TRAINER_NO_SAMPLES' })
  })
})

function changedWeights(a: WeightedModel, b: WeightedModel): string[] {
  const names = a.store.parameters.map(({ name }) => name)
  return names.filter(name => !sameBytes(a.store.weights(name), b.store.weights(name)))
}

function sameBytes(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.slice().buffer).equals(Buffer.from(b.slice().buffer))
}
