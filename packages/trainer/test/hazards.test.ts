import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesise } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { train } from '../src/index.ts'
import { metrics, shortStage, smallConfig } from './small-run.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-hazards-'))
  await synthesise({ dir: join(folder, 'clinic'), seed: 7, size: 12, domains: ['ecg', 'mri'] })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function runStage(name: string, stage: object, rest: { readonly rewards?: unknown } = {}) {
  const out = join(folder, name)
  const warnings: string[] = []
  await train(smallConfig([{ ...shortStage, steps: 1, ...stage }], rest), {
    baseFolder: folder,
    out,
    onStep: progress => void warnings.push(...(progress.warnings ?? [])),
  })
  const [record] = await metrics(out)
  return { record: record!, warnings, report: await readFile(join(out, 'report.html'), 'utf8') }
}

/** Answers that run into the limit lose more than any answer earns. */
const punished = { groupSize: 4, overlong: { buffer: 12, penalty: 2 } }

describe('a configuration with a hazard says so in its metrics, by a warning with the next step, and in the report', () => {
  test.for([
    {
      hazard: 'nonPositiveMeans',
      stage: punished,
      says: /lie in a domain or cluster whose mean reward is not positive.*temperatureFloor/,
    },
    { hazard: 'singletonClusters', stage: {}, says: /are a cluster of their own.*Ask more questions/ },
    {
      hazard: 'constantGroups',
      rewards: { accuracy: 1 },
      stage: {},
      says: /equal rewards and teach nothing.*dynamicSampling/,
    },
    { hazard: 'truncated', stage: { rollout: { maxNewTokens: 3 } }, says: /were cut off at the limit.*maxNewTokens/ },
    { hazard: 'unparseable', stage: {}, says: /have no \\boxed\{\}.*Warm the policy up/ },
  ])('$hazard', { timeout: 60_000 }, async ({ hazard, stage, rewards, says }) => {
    const { record, warnings, report } = await runStage(hazard, stage, rewards && { rewards })
    expect(record[hazard]).toBeGreaterThan(0)
    expect(warnings).toContainEqual(expect.stringMatching(says))
    expect(report).toContain('<h3>Warnings</h3>')
    const sentence = warnings.find(warning => says.test(warning))!
    expect(report).toContain(sentence.split('. ')[1]!.replaceAll('&', '&amp;'))
  })

  test('noisyDamping: with T = ε, what the two engines differ by is a KL to damp', { timeout: 60_000 }, async () => {
    const { record, warnings } = await runStage('noisy', punished)
    expect(record['logprobGap']).toBeGreaterThan(0)
    expect(record['noisyDamping']).toBeGreaterThan(0)
    expect(warnings).toContainEqual(expect.stringMatching(/damped by a KL.*same precision/))
  })

  test('none is left where the floor holds the temperatures up', { timeout: 60_000 }, async () => {
    const { record, warnings } = await runStage('floored', { ...punished, advantage: { temperatureFloor: 0.5 } })
    expect(record).toMatchObject({ nonPositiveMeans: 0, noisyDamping: 0 })
    expect(warnings.filter(warning => /temperatureFloor|damped/.test(warning))).toEqual([])
  })

  test('it stops where that is asked for', { timeout: 60_000 }, async () => {
    const refused = runStage('refused', { ...punished, advantage: { nonPositiveMean: 'refuse' } })
    await expect(refused).rejects.toMatchObject({ code: 'DRPO_NON_POSITIVE_MEAN' })
  })

  test('each is said once a stage', { timeout: 60_000 }, async () => {
    const { warnings } = await runStage('once', { steps: 2 })
    expect(new Set(warnings).size).toBe(warnings.length)
    expect(warnings.filter(warning => warning.includes('cluster of their own'))).toHaveLength(1)
  })
})
