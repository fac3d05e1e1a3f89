import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { killedStages, killUntil, leftBy, runProcess } from './kill-run.ts'
import { smallConfig } from './small-run.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-kill-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 16, domains: ['ecg', 'mri'] })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test(
  'a run killed with SIGKILL, also while it saves, resumes to the weights, moments and metrics of one that was not',
  { timeout: 900_000 },
  async () => {
    const run = { baseFolder: folder, config: smallConfig(killedStages(2), { splits: ['train'] }) }
    await runProcess(run, join(folder, 'whole'))
    const whole = await leftBy(join(folder, 'whole'))
    const options = { kills: 3, inSave: 1, seed: 4, longestMs: 6000 }
    const tally = await killUntil(run, folder, {
      ...options,
      onRun: async out => {
        expect(await leftBy(out)).toEqual(whole)
      },
    })
    expect(tally.kills).toBeGreaterThanOrEqual(3)
    expect(tally.inSave).toBeGreaterThanOrEqual(1)
  },
)
