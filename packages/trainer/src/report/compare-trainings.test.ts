import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { compareTrainings } from './compare-trainings.ts'
import { renderTrainingComparison } from './training-comparison-report.ts'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'qoq-trainings-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

/** A run of 20 steps of reinforcement after 2 of SFT, whose reward rises by `rise` a step. */
async function writeRun(name: string, rise: number, domains: readonly string[]): Promise<string> {
  const folder = join(root, name)
  await mkdir(folder)
  await writeFile(join(folder, 'run.json'), JSON.stringify({ name: 'small', baseFolder: '/data' }))
  const sft = [1, 2].map(step => ({ stage: 'warm', stageIndex: 0, algorithm: 'sft', step, loss: 4 / step, seconds: 1 }))
  const rl = Array.from({ length: 20 }, (_, i) => ({
    stage: 'rl',
    stageIndex: 1,
    algorithm: 'drpo',
    step: i + 1,
    reward: rise * (i + 1),
    rewardByDomain: Object.fromEntries(domains.map((domain, d) => [domain, rise * (i + 1) + d])),
    logprobGap: i === 7 ? 3e-6 : 1e-6,
    seconds: 0.5,
  }))
  const validation = { type: 'validation', stage: 'rl', stageIndex: 1, step: 20, overall: 0.5, seconds: 9 }
  const text = [...sft, ...rl, validation].map(line => JSON.stringify(line)).join('\n')
  await writeFile(join(folder, 'metrics.jsonl'), `${text}\n{"stage":"rl","st`)
  return folder
}

test('runs of one configuration stand beside one another by stage and domain', async () => {
  const [a, b] = [await writeRun('<a>', 0.01, ['ecg', 'mri']), await writeRun('b', 0.02, ['ecg'])]
  const comparison = await compareTrainings([a, b])
  expect(comparison.runs.map(({ name }) => name)).toEqual([a, b])
  const [first, second] = comparison.stages['rl']!
  // Means of steps 1, 2 and 19, 20.
  expect(first).toMatchObject({ run: a, algorithm: 'drpo', steps: 20, seconds: 10, measure: 'reward', accuracy: 0.5 })
  expect(first!.firstTenth).toBeCloseTo(0.015, 12)
  expect(first!.lastTenth).toBeCloseTo(0.195, 12)
  expect(first!.rewardByDomain['mri']).toBeCloseTo(1.195, 12)
  expect(second!.lastTenth).toBeCloseTo(0.39, 12)
  expect(second!.rewardByDomain).not.toHaveProperty('mri')
  expect(second!.logprobGap).toBe(3e-6)
  expect(comparison.stages['warm']![0]).toMatchObject({ measure: 'loss', firstTenth: 4, lastTenth: 2 })
  const html = await renderTrainingComparison(comparison)
  expect(html).not.toContain('<a>')
  // Loss; reward, two domains, accuracy over domains, gap.
  expect(html.match(/<svg/g)).toHaveLength(6)
  for (const text of ['Mean reward', 'Reward by domain: mri', 'mri, last tenth', '0.000003'])
    expect(html).toContain(text)
})

test('a folder without a run is named', async () => {
  await expect(compareTrainings([root])).rejects.toMatchObject({ code: 'TRAINER_NO_RUN' })
})
