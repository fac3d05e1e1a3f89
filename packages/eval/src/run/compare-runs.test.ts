import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Sample } from '@qoq-med/data-climb'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compareRuns, evaluate, type EvaluatedPolicy } from '../index.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-compare-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const samples: Sample[] = Array.from({ length: 40 }, (_, index) => ({
  id: `notes/${index}`,
  dataset: 'notes',
  domain: 'multimodal',
  patientId: `p${index}`,
  modality: ['text'],
  split: 'test',
  question: `Note ${index}`,
  labels: ['A', 'B'],
  answer: [index % 2 === 0 ? 'A' : 'B'],
  answerMode: 'single',
  files: [],
  reference: () => '',
}))

/** Evaluates a policy that is right except on every `wrongEvery`th note. */
async function run(name: string, wrongEvery: number, own: readonly Sample[] = samples): Promise<string> {
  const answers = new Map(
    own.map((sample, index) => [sample.question, index % wrongEvery === 0 ? 'C' : sample.answer[0]]),
  )
  const policy: EvaluatedPolicy = {
    info: { name },
    async *generate(requests) {
      for (const [request, { prompt }] of requests.entries()) {
        const part = prompt[0]?.content[0]
        const text = `\\boxed{${answers.get(part?.type === 'text' ? part.text : '')}}`
        yield { type: 'sample-end', request, completion: { text, finish: 'end', tokenIds: [] } }
      }
    },
  }
  const outDir = path.join(folder, name)
  await evaluate({ policy, samples: own, outDir, intervals: { resamples: 20 } })
  return outDir
}

describe('compareRuns', () => {
  test('finds the better run, with paired intervals and McNemar', async () => {
    const comparison = await compareRuns(await run('worse', 2), await run('better', 20))
    expect(comparison).toMatchObject({ policies: ['worse', 'better'], samples: 40, leftOut: 0 })
    expect(comparison.differences.overall.exactMatch.mean).toBeCloseTo(0.45, 1)
    expect(comparison.differences.overall.exactMatch.lower).toBeGreaterThan(0)
    expect(comparison.exactMatch['notes']).toMatchObject({ onlyFirst: 0, onlySecond: 18 })
    expect(comparison.exactMatch['notes']?.pValue).toBeLessThan(1e-4)
  })

  test('leaves out what only one run answered', async () => {
    const comparison = await compareRuns(await run('all', 5), await run('half', 5, samples.slice(0, 20)))
    expect(comparison).toMatchObject({ samples: 20, leftOut: 20 })
  })

  test('refuses folders without a finished evaluation, and runs with nothing in common', async () => {
    const done = await run('done', 5)
    await expect(compareRuns(done, folder)).rejects.toMatchObject({ code: 'EVAL_NO_RUN' })
    await writeFile(path.join(folder, 'results.json'), '{"schemaVersion":9}')
    await expect(compareRuns(folder, done)).rejects.toMatchObject({ code: 'EVAL_NO_RUN' })
    const renamed = samples.map(sample => ({ ...sample, id: `other-${sample.id}` }))
    const other = compareRuns(done, await run('other', 5, renamed))
    await expect(other).rejects.toMatchObject({ code: 'EVAL_NOTHING_IN_COMMON' })
  })
})
