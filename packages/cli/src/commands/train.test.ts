import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorOf, runInProcess } from '../run-in-process.testing.ts'

let cwd = ''
const run = (...argv: string[]) => runInProcess(argv, { cwd })

const config = `
name: short
model: { preset: qoq-nano, vocabularySize: 300 }
data:
  maxPixels: 3136
  sources:
    - { dataset: mini_clinic_mri, root: clinic }
    - { dataset: mini_clinic_ecg, root: clinic }
stages:
  - { name: warm-start, algorithm: sft, steps: 2, batchSize: 2, microbatchSize: 2, learningRate: 0.001 }
  - name: drpo
    algorithm: drpo
    steps: 1
    questionsPerStep: 2
    groupSize: 2
    microbatchSize: 2
    learningRate: 0.0001
    rollout: { maxNewTokens: 8 }
`

beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-train-'))
  await synthesise({ dir: path.join(cwd, 'clinic'), seed: 5, size: 24, domains: ['mri', 'ecg'] })
  await writeFile(path.join(cwd, 'short.yaml'), config)
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

describe('qoq train', () => {
  test('trains, tells every step, and leaves a model that answers', async () => {
    const { exitCode, stdout, stderr } = await run('train', 'short.yaml', '--out', 'runs/a', '--json')
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/training samples[^]*warm-start \(sft\) 2\/2[^]*drpo \(drpo\) 1\/1/),
    })
    const { folder, model } = JSON.parse(stdout)
    expect(folder).toBe(path.join(cwd, 'runs/a'))
    const metrics = (await readFile(path.join(folder, 'metrics.jsonl'), 'utf8')).trim().split('\n')
    expect(metrics).toHaveLength(3)
    expect((await run('ask', '--model', model, '--max-new-tokens', '2', 'What is it?')).exitCode).toBe(0)
    const exported = await run('export', 'traces', 'runs/a', '--json')
    expect(JSON.parse(exported.stdout)).toEqual({ file: path.join(folder, 'traces.parquet'), rows: 4 })
    expect((await readFile(path.join(folder, 'traces.parquet'))).subarray(0, 4).toString()).toBe('PAR1')
  })

  test('says what a run would take, and writes nothing', async () => {
    const { exitCode, stdout } = await run('train', 'short.yaml', '--out', 'runs/dry', '--dry-run')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/clipRatioLow: 0\.2[^]*parameters, a vocabulary of[^]*warm-start +sft +2[^]*of memory and/)
    const json = await run('train', 'short.yaml', '--out', 'runs/dry', '--dry-run', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({
      config: { seed: 42 },
      stages: [{ steps: 2 }, { sampledTokens: 32 }],
    })
    await expect(readFile(path.join(cwd, 'runs/dry/config.yaml'))).rejects.toThrow('ENOENT')
  })

  test('goes on where a stopped run was, and says so', async () => {
    const argv = ['train', 'short.yaml', '--out', 'runs/b']
    const stopped = await runInProcess([...argv, '--json'], { cwd, signal: AbortSignal.abort() })
    expect(stopped.exitCode).toBe(130)
    expect(errorOf(stopped).code).toBe('TRAINER_ABORTED')
    const resumed = await run(...argv, '--resume')
    expect(resumed).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('going on after step 0 of the stage warm-start'),
    })
  })

  test.for([
    { name: 'a missing configuration', argv: ['none.yaml'], code: 'TRAINER_CONFIG_MISSING', says: 'none.yaml' },
    {
      name: 'a wrong value',
      argv: ['short.yaml', '--set', 'stages.0.steps=many'],
      code: 'TRAINER_CONFIG_FIELD',
      says: 'steps',
    },
    {
      name: 'an unknown field',
      argv: ['short.yaml', '--set', 'stages.0.step=3'],
      code: 'TRAINER_CONFIG_UNKNOWN',
      says: 'step',
    },
    {
      name: 'an override that is none',
      argv: ['short.yaml', '--set', 'steps'],
      code: 'TRAINER_OVERRIDE',
      says: 'steps',
    },
    {
      name: 'data that are not there',
      argv: ['short.yaml', '--set', 'data.sources.0.root=nowhere'],
      code: 'DATA_ROOT_NOT_FOUND',
      says: 'nowhere',
    },
  ])('refuses $name and leaves no run folder', async ({ argv, code, says }) => {
    const result = await run('train', ...argv, '--out', 'runs/bad', '--json')
    expect(result.exitCode).toBe(2)
    expect(errorOf(result).code).toBe(code)
    expect(errorOf(result).message).toContain(says)
    await expect(readFile(path.join(cwd, 'runs/bad/metrics.jsonl'))).rejects.toThrow('ENOENT')
  })
})
