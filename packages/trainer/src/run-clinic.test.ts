import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadTrainingData } from './training-data.ts'
import { parseConfig } from './load-config.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/qoq-run-clinic-`)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const config = (clinic: object) =>
  parseConfig({
    name: 'small',
    model: { preset: 'qoq-nano' },
    data: {
      clinic: { dir: 'clinic', size: 8, domains: ['ecg', 'mri'], ...clinic },
      splits: ['train', 'valid', 'test'],
      sources: [{ dataset: 'mini_clinic_mri', root: 'clinic' }],
    },
    stages: [{ name: 'warm', algorithm: 'sft', steps: 2, learningRate: 1e-3 }],
  })

describe('a clinic in a configuration', () => {
  test('is simulated once, and found the next time', async () => {
    const first = await loadTrainingData(config({}), folder)
    expect(first.samples).toHaveLength(3)
    expect((await loadTrainingData(config({}), folder)).fingerprint).toBe(first.fingerprint)
  })

  test.for([{ seed: 9 }, { size: 10 }, { difficulty: 'hard' }, { domains: ['ecg', 'ct'] }])(
    'is not taken for another one: %j',
    async other => {
      await expect(loadTrainingData(config(other), folder)).rejects.toMatchObject({
        code: 'TRAINER_CONFIG_FIELD',
        message: expect.stringContaining('data.clinic'),
      })
    },
  )
})
