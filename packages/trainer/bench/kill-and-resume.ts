// Kills a nano run with SIGKILL at random times and while it saves, resumes it each time, and compares weights, moments and
// metrics with those of an uninterrupted run.
//   node --conditions=@qoq-med/source packages/trainer/bench/kill-and-resume.ts [KILLS] [IN_SAVE] [SEED]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { synthesise } from '@qoq-med/data-climb'
import { killedStages, killUntil, leftBy, runProcess } from '../test/kill-run.ts'
import { smallConfig } from '../test/small-run.ts'

const [kills = 20, inSave = 5, seed = 1] = process.argv.slice(2).map(Number)
const folder = await mkdtemp(join(tmpdir(), 'qoq-kill-'))
try {
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 16, domains: ['ecg', 'mri'] })
  const run = { baseFolder: folder, config: smallConfig(killedStages(4), { splits: ['train'] }) }
  const began = performance.now()
  await runProcess(run, join(folder, 'whole'))
  const wholeMs = performance.now() - began
  const whole = await leftBy(join(folder, 'whole'))
  const tally = await killUntil(run, folder, {
    kills,
    inSave,
    seed,
    longestMs: wholeMs / 2,
    onKill: (end, count) => console.log(`kill ${count}: ${end}`),
    onRun: async out => {
      if (isDeepStrictEqual(await leftBy(out), whole))
        console.log('a resumed run left what an uninterrupted one leaves')
      else throw new Error(`The run in ${out} differs from the uninterrupted one.`)
    },
  })
  console.log(JSON.stringify(tally))
} finally {
  await rm(folder, { recursive: true, force: true })
}
