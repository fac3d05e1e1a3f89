import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadTrainingData } from './training-data.ts'
import { parseConfig } from '../config/load-config.ts'
import { makeClinic } from './run-clinic.ts'

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

  test('with all domains is found the next time', async () => {
    const all = config({ dir: 'all', size: 18, domains: undefined })
    await makeClinic(all, folder)
    await expect(makeClinic(all, folder)).resolves.toBeUndefined()
  })

  test.for([
    { seed: 9 },
    { size: 10 },
    { difficulty: 'hard' },
    { preset: 'balanced' },
    { domains: ['ecg', 'ct'] },
    { domains: ['mri'] },
    { domains: undefined },
  ])('is not taken for another one: %j', async other => {
    await expect(loadTrainingData(config(other), folder)).rejects.toMatchObject({
      code: 'TRAINER_CONFIG_FIELD',
      message: expect.stringContaining('data.clinic'),
    })
  })
})
