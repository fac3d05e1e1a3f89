import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { externalConfig, stageOf, type Fields } from './external-config.testing.ts'
import { newLog } from './new-log.ts'
import { roteRay, type RoteConduct, type RoteRay } from './ray.testing.ts'
import { externalStage } from './refused-fields.ts'
import { verlEngine } from './verl-engine.ts'
import { verlSettings } from './verl-settings.ts'

const cluster = { processes: 2, nodes: 2, ray: 'http://localhost:8265' }
const configOf = (fields: { readonly stage?: Fields } & Fields = {}) =>
  externalConfig({ engine: 'verl', device: 'cuda', cluster, ...fields })

const actor = (name: string, value: unknown): Fields => ({ [`actor_rollout_ref.actor.${name}`]: value })

describe('a configuration in the words of verl', () => {
  test('splits a step of 16 rollouts over four devices', () => {
    const config = configOf({ stage: { microbatchSize: 1 } })
    expect(verlSettings(config, stageOf(config))).toMatchObject({
      'algorithm.adv_estimator': 'qoq',
      'trainer.v1.trainer_mode': 'qoq_sync',
      'trainer.nnodes': 2,
      'trainer.n_gpus_per_node': 2,
      'trainer.total_training_steps': 5,
      'data.train_batch_size': 4,
      'data.shuffle': false,
      'actor_rollout_ref.rollout.n': 4,
      'actor_rollout_ref.actor.ppo_mini_batch_size': 2,
      'actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu': 1,
      'actor_rollout_ref.actor.ppo_epochs': 3,
      'actor_rollout_ref.actor.kl_loss_coef': 1e-4,
      'actor_rollout_ref.actor.loss_agg_mode': 'seq-mean-token-mean',
      'actor_rollout_ref.actor.optim.lr': 1e-6,
      'reward.custom_reward_function.path': 'pkg://qoq_cluster.verl_rewards',
    })
  })

  test.for<[Fields, Fields]>([
    [{ dualClip: 3 }, actor('clip_ratio_c', 3)],
    [{}, actor('clip_ratio_c', 1e9)],
    [{ aggregation: 'token-mean' }, actor('loss_agg_mode', 'token-mean')],
    [
      { algorithm: 'dr-grpo', aggregation: 'sequence-mean-token-sum-norm', rollout: { maxNewTokens: 64 } },
      { ...actor('loss_agg_mode', 'seq-mean-token-sum-norm'), ...actor('loss_scale_factor', 64) },
    ],
    [
      { schedule: { type: 'cosine', warmupSteps: 2, final: 1e-7 } },
      {
        ...actor('optim.lr_warmup_steps', 2),
        ...actor('optim.lr_scheduler_type', 'cosine'),
        ...actor('optim.min_lr_ratio', expect.closeTo(0.1, 12)),
      },
    ],
    [{ clipRatioHigh: 0.28 }, { ...actor('clip_ratio_low', 0.2), ...actor('clip_ratio_high', 0.28) }],
  ])('takes %j', ([stage, want]) => {
    const config = configOf({ stage: { microbatchSize: 1, ...stage } })
    const settings = verlSettings(config, stageOf(config))
    expect(settings).toMatchObject(want)
  })
})

describe('what verl has no counterpart for is refused by name', () => {
  test.for<[string, { readonly stage?: Fields } & Fields]>([
    ['stages.0.schedule.type', { stage: { schedule: { type: 'linear' } } }],
    ['stages.0.maskTruncated', { stage: { maskTruncated: true } }],
    ['stages.0.minibatches', { stage: { minibatches: 3 } }],
    ['stages.0.microbatchSize', { stage: { microbatchSize: 4 } }],
    ['stages.0.trainable', { stage: { trainable: ['model.layers.*'] } }],
    ['stages.0.lora', { stage: { lora: { rank: 4, alpha: 8 } } }],
    ['device', { device: 'webgpu' }],
    ['device', { device: 'cpu' }],
    ['cluster.folder', { cluster: { ...cluster, ray: 'http://head:8265' } }],
  ])('%s', ([field, given]) => {
    expect(() =>
      externalStage(verlEngine, configOf({ ...given, stage: { microbatchSize: 1, ...given.stage } })),
    ).toThrow(expect.objectContaining({ code: 'TRAINER_ENGINE_FIELD', message: expect.stringContaining(` ${field} `) }))
  })

  test('nothing of the paper’s own configuration', () => {
    expect(externalStage(verlEngine, configOf({ stage: { microbatchSize: 1 } }))).toMatchObject({ algorithm: 'drpo' })
  })
})

let ray: RoteRay | undefined
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-ray-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await ray?.close()
  await rm(folder, { recursive: true, force: true })
})

async function withRay(conduct: RoteConduct = {}): Promise<ReturnType<typeof configOf>> {
  ray = await roteRay(conduct)
  return configOf({ cluster: { ...cluster, ray: ray.address, python: 'python' }, stage: { microbatchSize: 1 } })
}

const whole = { python: '3.12.1', verl: '0.9.1', torch: '2.13.0', transformers: '5.9.0', vllm: '0.12.0', gpus: 4 }
const found = (versions: object) => () => ({ status: 'SUCCEEDED', log: `a warning\n${JSON.stringify(versions)}\n` })

describe('before anything is sent, a cluster is asked what it has', () => {
  test.for<[string, RoteConduct, string, string]>([
    ['an old Ray', { version: '1.13.0' }, 'MISSING', 'Ray 1.13.0'],
    ['no verl', { job: found({ ...whole, verl: null }) }, 'MISSING', 'needs verl'],
    ['an old verl', { job: found({ ...whole, verl: '0.4.1' }) }, 'MISSING', 'verl 0.4.1'],
    ['no vLLM', { job: found({ ...whole, vllm: null }) }, 'MISSING', 'needs vllm'],
    ['too few GPUs', { job: found({ ...whole, gpus: 3 }) }, 'MISSING', 'needs 4 GPUs'],
    [
      'an interpreter that does not start',
      { job: () => ({ status: 'FAILED', message: 'exit 127' }) },
      'MISSING',
      'needs verl',
    ],
    ['a token', { token: 'secret' }, 'AWAY', 'RAY_AUTH_TOKEN'],
  ])('%s is said', async ([, conduct, code, words]) => {
    await expect(verlEngine.probe(await withRay(conduct))).rejects.toMatchObject({
      code: `TRAINER_ENGINE_${code}`,
      message: expect.stringContaining(words),
    })
  })

  test('Ray that is away is said, and an address that is missing', async () => {
    const config = await withRay()
    await ray?.close()
    await expect(verlEngine.probe(config)).rejects.toMatchObject({
      code: 'TRAINER_ENGINE_AWAY',
      message: expect.stringContaining('nothing listens there'),
    })
    ray = undefined
    await expect(verlEngine.probe(configOf({ cluster: {} }))).rejects.toMatchObject({
      code: 'TRAINER_ENGINE_MISSING',
      message: expect.stringContaining('--ray'),
    })
  })

  test('and is enough where it has it all; its token stands in the environment or in a file', async () => {
    vi.stubEnv('RAY_AUTH_TOKEN', 'secret')
    await verlEngine.probe(await withRay({ job: found(whole), token: 'secret' }))
    await ray?.close()
    vi.stubEnv('RAY_AUTH_TOKEN', undefined)
    vi.stubEnv('RAY_AUTH_TOKEN_PATH', join(folder, 'token'))
    await writeFile(join(folder, 'token'), 'other\n')
    await verlEngine.probe(await withRay({ job: found(whole), token: 'other' }))
    expect(ray?.jobs[0]?.entrypoint).toMatch(/^python -c "import base64; .*" verl torch transformers vllm$/)
  })
})

async function started(conduct: RoteConduct = {}): ReturnType<typeof verlEngine.start> {
  const config = await withRay(conduct)
  await mkdir(join(folder, 'pictures'))
  for (const name of ['job.json', 'rows.jsonl', 'pictures/a.png', 'key']) await writeFile(join(folder, name), name)
  return verlEngine.start({ folder, config, environment: { QOQ_URL: 'http://host:1', QOQ_KEY: 'k' } })
}

describe('a job', () => {
  test('is sent with its data and the plug-in, and no key in a file', async () => {
    const job = await started()
    const [[path, bytes] = ['', Buffer.of()]] = [...ray!.packages]
    expect(path).toMatch(/^\/api\/packages\/gcs\/_ray_pkg_[0-9a-f]{32}\.zip$/)
    const names = bytes.toString('latin1')
    for (const name of ['job.json', 'rows.jsonl', 'pictures/a.png', 'qoq_cluster/verl_drpo.py'])
      expect(names).toContain(name)
    expect(names).not.toContain('key')
    expect(ray!.jobs[0]).toMatchObject({
      entrypoint: 'python -m qoq_cluster.verl_train job.json',
      runtime_env: {
        working_dir: expect.stringMatching(/^gcs:\/\/_ray_pkg_/),
        env_vars: { QOQ_KEY: 'k', VERL_USE_EXTERNAL_MODULES: 'qoq_cluster.verl_drpo' },
      },
    })
    expect(job.id).toBe('job-0')
  })

  test.for([
    ['PENDING', 'running'],
    ['RUNNING', 'running'],
    ['SUCCEEDED', 'succeeded'],
    ['FAILED', 'failed'],
    ['STOPPED', 'stopped'],
  ])('that is %s counts as %s', async ([status, want]) => {
    const job = await started({ job: () => ({ status: status!, log: 'one\n', message: 'why' }) })
    expect(await job.state()).toBe(want)
    expect(await newLog(job)).toBe(want === 'failed' ? 'one\n\nwhy\n' : 'one\n')
    expect(await newLog(job)).toBe('')
  })

  test('that fails between two looks has told its last lines, and its reason once', async () => {
    const job = await started({
      // A look ends with the answer of how it stands; its log is asked for after that.
      job: (_, look) => ({
        status: look < 1 ? 'RUNNING' : 'FAILED',
        log: look < 2 ? 'one\n' : 'one\nQOQ_ERROR {}\n',
        message: 'why',
      }),
    })
    expect([await newLog(job), await newLog(job), await newLog(job)]).toEqual(['one\n', 'QOQ_ERROR {}\n\nwhy\n', ''])
  })

  test('is stopped, and opened again by its id', async () => {
    const { id } = await started({ job: (_, look) => ({ status: look > 1 ? 'STOPPED' : 'RUNNING' }) })
    const config = configOf({ cluster: { ...cluster, ray: ray!.address } })
    const again = verlEngine.open(id, { config, folder })
    expect(await again.state()).toBe('running')
    await again.stop()
    expect(await again.state()).toBe('stopped')
    expect(ray!.asked).toContain('POST /api/jobs/job-0/stop')
  })
})
