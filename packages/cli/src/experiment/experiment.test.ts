import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { experimentJobs, runJobs } from './experiment-jobs.ts'
import { drpoVsGrpo } from './drpo-vs-grpo.ts'
import { drpoVsGrpo2 } from './drpo-vs-grpo-2.ts'
import type { ExperimentDefinition } from './experiment-definition.ts'
import { qoqProcesses } from './qoq-process.ts'
import { runExperiment } from './run-experiment.ts'
import { seedMean } from './seed-statistics.ts'

const small: ExperimentDefinition = {
  ...drpoVsGrpo,
  settings: { ...drpoVsGrpo.settings, seeds: 2, clinicSize: 40, judgedSize: 20 },
}

describe('experimentJobs', () => {
  test('puts the one warm start of a clinic before what goes on from it with any seed', () => {
    const jobs = experimentJobs(small, ['imbalanced', 'balanced'])
    const ids = jobs.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const late = jobs.filter(({ id, needs }) => needs !== undefined && ids.indexOf(needs) > ids.indexOf(id))
    expect(late).toEqual([])
    expect(ids).toContain('imbalanced/seed-2/ppo')
    expect(ids).not.toContain('balanced/seed-1/ppo')
    const warmStarts = jobs.filter(({ needs }) => needs === undefined)
    expect(warmStarts.map(({ id }) => id)).toEqual(['imbalanced/seed-1/warm-start', 'balanced/seed-1/warm-start'])
    expect(jobs.find(({ id }) => id === 'balanced/seed-2/grpo')?.needs).toBe('balanced/seed-1/warm-start')
  })

  test('of an experiment with warm starts by seed runs seed by seed, the arms of its result first', () => {
    const jobs = experimentJobs(drpoVsGrpo2, ['imbalanced'])
    expect(jobs.slice(0, 3).map(({ id }) => id)).toEqual([
      'imbalanced/seed-1/warm-start',
      'imbalanced/seed-1/grpo',
      'imbalanced/seed-1/drpo-recommended',
    ])
    const trainings = jobs.filter(({ needs }) => needs !== undefined)
    expect(trainings.filter(({ seed, needs }) => needs !== `imbalanced/seed-${seed}/warm-start`)).toEqual([])
    const { arms, settings, baseline, primary } = drpoVsGrpo2
    expect(jobs.filter(({ arm }) => arm.id === primary)).toHaveLength(settings.seeds)
    expect(jobs.filter(({ arm }) => arm.id === 'rloo').map(({ seed }) => seed)).toEqual([1, 2, 3])
    expect(arms.map(({ id }) => id)).toEqual(expect.arrayContaining([baseline, primary]))
  })
})

describe('runJobs', () => {
  test('runs as many as allowed at a time, each after the one it needs', async () => {
    const ended: string[] = []
    let most = 0
    let now = 0
    const jobs = experimentJobs(small, ['imbalanced'])
    await runJobs(
      jobs,
      async ({ id, needs }) => {
        expect(ended).toEqual(expect.arrayContaining(needs === undefined ? [] : [needs]))
        most = Math.max(most, ++now)
        await new Promise(resolve => setTimeout(resolve, 1))
        now--
        ended.push(id)
      },
      { atOnce: 2 },
    )
    expect(most).toBe(2)
    expect(ended).toHaveLength(jobs.length)
  })

  test('begins nothing after a failure, and awaits what runs', async () => {
    const begun: string[] = []
    const ended: string[] = []
    const work = runJobs(
      experimentJobs(small, ['imbalanced']),
      async ({ id }) => {
        begun.push(id)
        if (begun.length === 3) throw new Error('full disk')
        await new Promise(resolve => setTimeout(resolve, 5))
        ended.push(id)
      },
      { atOnce: 2 },
    )
    await expect(work).rejects.toThrow('full disk')
    expect(begun).toHaveLength(3)
    expect(ended).toHaveLength(2)
  })
})

describe('runExperiment', () => {
  test('goes on after a stop without repeating what is finished, and reports means, intervals and differences', async () => {
    const out = path.join(await mkdtemp(path.join(tmpdir(), 'qoq-experiment-')), 'out')
    const calls: string[] = []
    const fake = (stopAfter: number) => async (args: readonly string[], job: string) => {
      if (calls.length === stopAfter) throw new Error('stopped')
      calls.push(`${args[0]} ${job}`)
      await pretend(args, job)
    }
    const options = { out, presets: ['imbalanced'] as const, atOnce: 1 }
    await expect(runExperiment(small, { ...options, runQoq: fake(5) })).rejects.toThrow('stopped')
    expect(await readFile(path.join(out, 'report.md'), 'utf8')).toContain('2 of 23 trainings are finished')
    const { report } = await runExperiment(small, { ...options, runQoq: fake(Infinity) })
    expect(new Set(calls).size).toBe(calls.length)
    expect(calls).toHaveLength(2 * experimentJobs(small, ['imbalanced']).length)
    const text = await readFile(report, 'utf8')
    // Overall F1 of GRPO is .2 and .4 with seeds 1 and 2; DRPO has .1 more each time.
    expect(text).toContain(
      '| GRPO | 0.250 ± 0.000 | 0.500 ± 0.000 | 0.300 ± 1.271 | +0.000 (+0.000 to +0.000) |  | 0.900 |',
    )
    // Always saying Normal has F1 2/3 and 0, always being right 1 and 1. RLOO answers as GRPO does, in another order.
    expect(text).toMatch(/\| RLOO \|.*\| \+0\.000 \(\+0\.000 to \+0\.000\) \| \+0\.000 \(\+0\.000 to \+0\.000\) \|/)
    expect(text).toMatch(
      /\| DRPO \| 0.250 ± 0.000 \| 0.500 ± 0.000 \| 0.400 ± 1.271 \| \+0\.6\d\d \(\+0\.\d{3} to \+[01]\.\d{3}\) \|/,
    )
    expect(text).toContain('figures/reward-imbalanced.svg')
    expect(await readFile(path.join(out, 'figures', 'reward-imbalanced.svg'), 'utf8')).toContain('ReMax')
  })

  test('refuses a folder of other settings', async () => {
    const out = await mkdtemp(path.join(tmpdir(), 'qoq-experiment-'))
    await writeFile(path.join(out, 'experiment.json'), '{}')
    const options = { out, presets: ['imbalanced'] as const, atOnce: 1, runQoq: async () => undefined }
    await expect(runExperiment(small, options)).rejects.toMatchObject({ code: 'CLI_EXPERIMENT_SETTINGS' })
  })
})

describe('qoqProcesses', () => {
  test('names the job, the command and the last messages of a process that failed', async () => {
    const script = path.join(await mkdtemp(path.join(tmpdir(), 'qoq-process-')), 'fails.mjs')
    await writeFile(script, 'console.error("no such dataset"); process.exit(2)')
    const failed = qoqProcesses(script, new AbortController().signal)(['train', 'x.yaml'], 'imbalanced/seed-1/grpo')
    await expect(failed).rejects.toMatchObject({
      code: 'CLI_EXPERIMENT_FAILED',
      message: 'The job imbalanced/seed-1/grpo failed in "qoq train": no such dataset',
    })
  })
})

test("seedMean gives Student's interval", () => {
  const { mean, halfWidth } = seedMean([1, 2, 3])
  expect(mean).toBe(2)
  expect(halfWidth).toBeCloseTo(4.303 / Math.sqrt(3), 3) // deviation 1, two degrees of freedom
  expect(seedMean([5])).toEqual({ mean: 5, halfWidth: undefined })
})

/** Leaves what a training or an evaluation leaves. */
async function pretend(args: readonly string[], job: string): Promise<void> {
  const folder = args[args.indexOf('--out') + 1]!
  await mkdir(folder, { recursive: true })
  const seed = Number(/seed-(\d)/.exec(job)?.[1])
  if (args[0] === 'train') {
    const line = { stage: 'rl', stageIndex: 0, algorithm: 'x', seconds: 1, reward: 0.5 }
    const lines = Array.from({ length: 10 }, (_, i) => `${JSON.stringify({ ...line, step: i + 1 })}\n`)
    await writeFile(path.join(folder, 'metrics.jsonl'), lines.join(''))
    await mkdir(path.join(folder, 'model'))
    return
  }
  const f1 = seed * 0.2 + (job.endsWith('/drpo') ? 0.1 : 0)
  const perLabel = { Normal: { recall: 0.9 }, Hypertrophy: { recall: 0 } }
  const metrics = {
    overall: { f1, accuracy: 0.5, exactMatch: 0.25, unparseable: 0 },
    domains: Object.fromEntries(small.domains.map(domain => [domain, { f1 }])),
    datasets: { mini_clinic_ecg: { perLabel } },
  }
  await writeFile(path.join(folder, 'results.json'), JSON.stringify({ metrics, iou: { a: { mean: 0.25 } } }))
  const answers = Array.from({ length: 20 }, (_, i) => JSON.stringify(answer(i, job.endsWith('/drpo'))))
  // Answers come in the order in which they are finished, which is not the same for all.
  if (job.endsWith('/rloo')) answers.reverse()
  await writeFile(path.join(folder, 'samples.jsonl'), `${answers.join('\n')}\n`)
}

/** A line of the answers' log: every second patient is normal; who is not right says that all are. */
function answer(i: number, isRight: boolean) {
  const truth = [i % 2 === 0 ? 'Normal' : 'Hypertrophy']
  return {
    key: `${i}`,
    sampleId: `sample-${i}`,
    dataset: 'mini_clinic_ecg',
    domain: 'ecg',
    patient: `${i}`,
    question: '',
    response: '',
    finish: 'end',
    tokens: 1,
    truth,
    predicted: isRight ? truth : ['Normal'],
    answered: true,
    boxes: [],
    problems: [],
    seconds: 0,
  }
}
