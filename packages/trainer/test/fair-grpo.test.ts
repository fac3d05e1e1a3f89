import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseConfig, readRollouts, train } from '../src/index.ts'
import { scriptedReward, scriptedSamples, type ScriptedStep } from './scripted-run.ts'

interface Case extends ScriptedStep {
  readonly name: string
  readonly demographics: readonly string[]
  readonly paper?: Wanted
  readonly paper_nd?: Wanted
}

interface Wanted {
  /** [Q][G] in float64. */
  readonly advantages: readonly (readonly number[])[]
  readonly clustering_may_be_ambiguous: boolean
}

type DroStep = ScriptedStep & { readonly advantages: readonly (readonly number[])[] }

// A copy of oracles/rl/fair_grpo.json: every stage computed with numpy and scikit-learn (versions and seed are inside).
const oracle = JSON.parse(
  gunzipSync(readFileSync(new URL('../../core-drpo/fixtures/fair_grpo.json.gz', import.meta.url))).toString(),
) as {
  readonly cases: readonly Case[]
  readonly group_dro: readonly { readonly eta: number; readonly steps: readonly Omit<DroStep, 'domains'>[] }[]
} // the file's layout

const seed = 42

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-fair-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The advantages that a training whose rewards are the steps' gives its answers. */
async function trainedAdvantages(
  steps: readonly ScriptedStep[],
  stage: { readonly algorithm: string; readonly advantage?: object },
): Promise<number[]> {
  const name = `${stage.algorithm}-${steps.length}-${steps[0]!.rewards.length}`
  await writeFile(join(folder, `${name}.mjs`), scriptedReward(steps))
  const [answers] = steps[0]!.rewards
  const config = parseConfig({
    name,
    seed,
    threads: 1,
    model: { preset: 'qoq-pico', vocabularySize: 360 },
    data: { sources: [], maxPixels: 3136 },
    rewards: { scripted: { weight: 1, path: `${name}.mjs` } },
    keptRollouts: 10_000,
    stages: [
      {
        name: 'rl',
        steps: steps.length,
        questionsPerStep: steps[0]!.rewards.length,
        groupSize: answers!.length,
        groupBy: 'dataset',
        learningRate: 1e-4,
        rollout: { maxNewTokens: 2 },
        ...stage,
      },
    ],
  })
  const out = join(folder, name)
  await train(config, { baseFolder: folder, out, samples: scriptedSamples(steps, seed) })
  return (await readRollouts(out)).map(({ advantage }) => Number(advantage))
}

function largestDifference(got: readonly number[], want: readonly (readonly number[])[]): number {
  const flat = want.flat()
  expect(got).toHaveLength(flat.length)
  return Math.max(...got.map((value, i) => Math.abs(value - flat[i]!)))
}

const named = (name: string): Case => oracle.cases.find(item => item.name === name)! // a name of the file

describe('the advantages of a training step are those of the oracle', () => {
  test.for([
    { algorithm: 'fair-grpo', item: named('joint_sex_age') },
    { algorithm: 'fair-grpo', item: named('labels_and_unlabelled') },
    { algorithm: 'fair-grpo-nd', item: named('nd_two_domains') },
  ])('$algorithm: $item.name', { timeout: 60_000 }, async ({ algorithm, item }) => {
    const want = (item.paper ?? item.paper_nd)!
    expect(want.clustering_may_be_ambiguous).toBe(false)
    expect(largestDifference(await trainedAdvantages([item], { algorithm }), want.advantages)).toBeLessThan(1e-6)
  })

  test('group DRO, whose weights go on from step to step', { timeout: 60_000 }, async () => {
    const { eta, steps } = oracle.group_dro[0]!
    const scripted = steps.map(step => ({ ...step, domains: step.rewards.map(() => 'ecg') }))
    const got = await trainedAdvantages(scripted, { algorithm: 'group-dro', advantage: { eta } })
    expect(
      largestDifference(
        got,
        steps.flatMap(({ advantages }) => advantages),
      ),
    ).toBeLessThan(1e-6)
  })
})
