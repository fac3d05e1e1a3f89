import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig, planRun } from '../src/index.ts'

const examples = resolve(import.meta.dirname, '../../../examples')
const files = (await readdir(examples)).filter(name => name.endsWith('.yaml'))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-examples-'))
  await cp(examples, join(folder, 'examples'), { recursive: true })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test.for(files)('%s is a configuration', async file => {
  await expect(loadConfig(join(examples, file))).resolves.toMatchObject({ stages: expect.any(Array) })
})

describe("the paper's two stages", () => {
  test('are D.1: 512 questions with 5 answers, and early stopping over domains', async () => {
    const { stages, seed, rewards } = await loadConfig(join(examples, 'paper-two-stages.yaml'))
    expect({ seed, rewards }).toEqual({ seed: 42, rewards: 'paper' })
    expect(stages).toHaveLength(2)
    for (const stage of stages)
      expect(stage).toMatchObject({
        algorithm: 'drpo',
        questionsPerStep: 512,
        groupSize: 5,
        learningRate: 1e-6,
        weightDecay: 1e-2,
        klCoefficient: 1e-4,
        epochs: 1,
        validate: { split: 'valid', draw: 'by-domain', patience: 3 },
      })
  })

  test('make a dry run, on simulated patients and a small model', { timeout: 120_000 }, async () => {
    const config = await loadConfig(join(folder, 'examples/paper-two-stages.yaml'), [
      'model={ preset: qoq-nano }',
      'data.clinic.size=900',
    ])
    const plan = await planRun(config, { baseFolder: join(folder, 'examples') })
    // One epoch: the questions of each stage over 512, rounded up.
    expect(plan.stages.map(({ name }) => name)).toEqual(['alignment', 'all-modalities'])
    for (const { steps, samples } of plan.stages) expect(steps).toBe(Math.ceil(samples / 512))
    // Prompts and 5 answers of 4,096 tokens for each of 512 questions.
    expect(plan.stages[1]!.sampledTokens).toBe(512 * 5 * 4096)
    expect(plan.stages[0]!.trainableParameters).toBeLessThan(plan.stages[1]!.trainableParameters)
    expect(plan.stages[0]!.samples).toBeLessThan(plan.stages[1]!.samples)
  })
})
