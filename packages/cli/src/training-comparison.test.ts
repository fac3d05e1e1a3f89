import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { errorOf, runInProcess } from './run-in-process.testing.ts'

let cwd = ''
const run = (...argv: string[]) => runInProcess(argv, { cwd })
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'qoq-trainings-'))
  for (const [name, reward] of [
    ['grpo', 0.25],
    ['drpo', 0.5],
  ] as const) {
    await mkdir(path.join(cwd, name))
    await writeFile(path.join(cwd, name, 'run.json'), JSON.stringify({ name, baseFolder: '/data' }))
    const step = { stage: 'rl', stageIndex: 0, algorithm: name, step: 1, reward, rewardByDomain: { ecg: reward } }
    await writeFile(path.join(cwd, name, 'metrics.jsonl'), `${JSON.stringify({ ...step, seconds: 2 })}\n`)
  }
  await mkdir(path.join(cwd, 'evaluation'))
  await writeFile(path.join(cwd, 'evaluation/results.json'), '{}')
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

test('qoq compare puts training runs beside one another, as text, JSON and a page', async () => {
  const asked = await run('compare', 'grpo', 'drpo', '--html', 'pages/both.html')
  expect(asked).toMatchObject({ exitCode: 0, stderr: '' })
  expect(asked.stdout).toMatch(/^Stage rl\nrun .*ecg .*\ngrpo +1 +reward +0\.25 +0\.25 +0\.25 .*\ndrpo .* 0\.5 /)
  expect(await readFile(path.join(cwd, 'pages/both.html'), 'utf8')).toContain('Reward by domain')
  const { stdout } = await run('compare', 'grpo', 'drpo', '--json')
  expect(JSON.parse(stdout).stages.rl).toMatchObject([{ run: 'grpo' }, { run: 'drpo', lastTenth: 0.5 }])
})

test('a training run and an evaluation are not compared', async () => {
  const result = await run('compare', 'grpo', 'evaluation', '--json')
  expect(result.exitCode).toBe(2)
  expect(errorOf(result)).toMatchObject({ code: 'CLI_VALUE_INVALID', message: expect.stringContaining('evaluation') })
})
