import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseConfig, readRollouts, train } from '../src/index.ts'
import { scriptedReward, scriptedSamples, type ScriptedStep } from './scripted-run.ts'

/** One step of the public code with its running history; it groups by dataset. */
interface OracleStep extends ScriptedStep {
  /** [Q][G] of the public code, float32. */
  readonly reference_with_history: { readonly advantages: readonly (readonly number[])[] }
}

// A copy of oracles/rl/drpo.json: made by the public code's own function (script, versions and seed are named inside).
const file = JSON.parse(
  gunzipSync(readFileSync(new URL('../../core-drpo/fixtures/drpo.json.gz', import.meta.url))).toString(),
) as { readonly reference_history: readonly { readonly steps: readonly OracleStep[] }[] } // the file's layout

const seed = 42
const [questionsPerStep, groupSize] = [6, 4]

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-release-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('preset: release', () => {
  // In the third run the public code's single k-means run missed the optimum (docs/paper-map.md).
  test.for([0, 1])(
    'gives the advantages of the public code in four training steps with its history: run %i',
    {
      timeout: 120_000,
    },
    async run => {
      const { steps } = file.reference_history[run]!
      await writeFile(join(folder, `scripted-${run}.mjs`), scriptedReward(steps))
      const config = parseConfig({
        name: 'release',
        preset: 'release',
        seed,
        threads: 1,
        model: { preset: 'qoq-pico', vocabularySize: 400 },
        data: { sources: [], maxPixels: 3136 },
        rewards: { scripted: { weight: 1, path: `scripted-${run}.mjs` } },
        stages: [
          {
            name: 'rl',
            algorithm: 'drpo',
            steps: steps.length,
            questionsPerStep,
            groupSize,
            rollout: { maxNewTokens: 3 },
          },
        ],
      })
      const out = join(folder, `run-${run}`)
      await train(config, { baseFolder: folder, out, samples: scriptedSamples(steps, seed) })
      const rollouts = await readRollouts(out)
      expect(rollouts).toHaveLength(steps.length * questionsPerStep * groupSize)
      const got = rollouts.map(({ advantage }) => Number(advantage))
      const want = steps.flatMap(step => step.reference_with_history.advantages.flat())
      // The public code computes in float32.
      expect(Math.max(...got.map((value, i) => Math.abs(value - want[i]!)))).toBeLessThan(1e-4)
      expect(rollouts.map(({ reward }) => reward)).toEqual(steps.flatMap(step => step.rewards.flat()))
    },
  )
})
