import { existsSync, statSync } from 'node:fs'
import { appendFile, mkdtemp, readdir, readFile, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { planRun, train, type TrainConfig } from '../src/index.ts'
import { shortStage, smallConfig } from './small-run.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-faults-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 6, domains: ['ecg', 'mri'] })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const stage = { ...shortStage, questionsPerStep: 1, steps: 2 }

/** A run that is stopped after a step, with its folder. */
async function stopped(name: string, config: TrainConfig, after = 1): Promise<string> {
  const out = join(folder, name)
  const stopper = new AbortController()
  const run = train(config, {
    baseFolder: folder,
    out,
    signal: stopper.signal,
    onStep: ({ step }) => {
      if (step === after) stopper.abort()
    },
  })
  await expect(run).rejects.toMatchObject({ code: 'TRAINER_ABORTED' })
  return out
}

describe('a run that is resumed', () => {
  test('refuses weights with one flipped byte, and names the last good checkpoint', async () => {
    const config = smallConfig([stage])
    const out = await stopped('flipped', config)
    const file = join(out, 'checkpoints/stage-0-step-1/model/model.safetensors')
    const bytes = await readFile(file)
    bytes[bytes.length - 5]! ^= 1
    await writeFile(file, bytes)
    await expect(train(config, { baseFolder: folder, out, resume: true })).rejects.toMatchObject({
      code: 'TRAINER_CHECKPOINT_DAMAGED',
      message: expect.stringContaining('stage-0-step-1 is damaged: model/model.safetensors'),
      hint: expect.stringContaining('stage-0-step-0'),
    })
    await rm(join(out, 'checkpoints/stage-0-step-1'), { recursive: true })
    await train(config, { baseFolder: folder, out, resume: true })
  }, 60_000)

  test('notices other pixels behind the same index', async () => {
    const config = smallConfig([stage])
    const out = await stopped('pixels', config)
    const picture = join(folder, 'clinic/mri/images', (await readdir(join(folder, 'clinic/mri/images')))[0]!)
    await utimes(picture, 1, 1)
    await expect(train(config, { baseFolder: folder, out, resume: true })).rejects.toMatchObject({
      code: 'TRAINER_RESUME_DATA',
      message: expect.stringContaining('has changed'),
    })
  }, 60_000)

  test('looks at contents alone where the configuration says so', async () => {
    const config = smallConfig([stage], { overrides: ['data.fingerprint=hash'] })
    const out = await stopped('contents', config)
    const picture = join(folder, 'clinic/mri/images', (await readdir(join(folder, 'clinic/mri/images')))[0]!)
    await utimes(picture, 2, 2)
    await train(config, { baseFolder: folder, out, resume: true })
    const again = await stopped('contents-2', config)
    await appendFile(picture, ' ')
    const resumed = train(config, { baseFolder: folder, out: again, resume: true })
    await expect(resumed).rejects.toMatchObject({ code: 'TRAINER_RESUME_DATA' })
    await truncate(picture, statSync(picture).size - 1)
  }, 60_000)
})

const fullDevice = '/dev/full'

test('a full disk is named with the path and what is kept', { timeout: 60_000 }, async context => {
  context.skip(!existsSync(fullDevice), 'this system has no device that is always full')
  const out = join(folder, 'full')
  const log = join(out, 'metrics.jsonl')
  const fill = async (): Promise<void> => {
    await rm(log)
    await symlink(fullDevice, log)
  }
  const run = train(smallConfig([stage]), {
    baseFolder: folder,
    out,
    onStep: ({ step }) => (step === 1 ? fill() : undefined),
  })
  await expect(run).rejects.toMatchObject({
    code: 'TRAINER_DISK_FULL',
    message: expect.stringMatching(/full could not be written; the checkpoint .*stage-0-step-1 is kept/),
  })
  await rm(log)
  await writeFile(log, '')
  await train(smallConfig([stage]), { baseFolder: folder, out, resume: true })
})

const withReward = (path: string, weight = 1) =>
  smallConfig([stage], { rewards: { accuracy: 1, mine: { weight, path } } })
const reward = async (name: string, code: string): Promise<string> => {
  await writeFile(join(folder, name), code)
  return name
}

describe("a reward of one's own", () => {
  test('may answer with a promise', async () => {
    const path = await reward(
      'slow.mjs',
      'export const reward = async ({ text }) => ({ score: Math.min(1, text.length / 100) })\n',
    )
    const out = join(folder, 'slow')
    await train(withReward(path), { baseFolder: folder, out })
    const [line] = (await readFile(join(out, 'samples.jsonl'), 'utf8')).split('\n')
    expect(JSON.parse(line!).parts.mine).toBeGreaterThan(0)
  }, 60_000)

  test.for([
    {
      name: 'throws',
      code: "export const reward = () => { throw new RangeError('no such organ') }",
      says: 'RangeError: no such organ',
    },
    {
      name: 'rejects',
      code: "export const reward = async () => { throw new Error('judge is away') }",
      says: 'judge is away',
    },
    { name: 'answers no number', code: 'export const reward = () => ({ score: NaN })', says: 'answered NaN' },
  ])('that $name is known before the run, and in a dry run, by its own words', async ({ name, code, says }) => {
    const config = withReward(await reward(`${name.replaceAll(' ', '-')}.mjs`, code))
    const want = { code: 'TRAINER_REWARD_FAILED', message: expect.stringContaining(says) }
    const out = join(folder, 'never')
    await expect(train(config, { baseFolder: folder, out })).rejects.toMatchObject(want)
    await expect(planRun(config, { baseFolder: folder })).rejects.toMatchObject(want)
    expect(await readdir(folder)).not.toContain('never')
  })

  test('that does not load says why', async () => {
    const config = withReward(await reward('broken.mjs', 'export const reward = nowhere\n'))
    await expect(planRun(config, { baseFolder: folder })).rejects.toMatchObject({
      code: 'REWARDS_MODULE_UNREADABLE',
      message: expect.stringContaining('nowhere is not defined'),
    })
  })
})
