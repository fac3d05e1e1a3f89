import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compareRuns } from './run/compare-runs.ts'
import { evaluate } from './evaluate.ts'
import { fakePolicy, glioma, mriSample } from './run/evaluation.testing.ts'
import { scorePredictions, type Prediction } from './score-predictions.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-predictions-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const samples = Array.from({ length: 6 }, (_, index) => mriSample(index))

async function score(lines: readonly (Prediction | string)[], rest: { onMissing?: 'exclude' | 'wrong' } = {}) {
  const file = path.join(folder, 'other.jsonl')
  await writeFile(file, lines.map(line => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  return scorePredictions({ file, name: 'other', samples, outDir: path.join(folder, 'out'), ...rest })
}

describe('scorePredictions', () => {
  test('gives the numbers of the same answers from a policy, which it can be compared with', async () => {
    const asked = await evaluate({ policy: fakePolicy(() => glioma), samples, outDir: path.join(folder, 'asked') })
    const scored = await score(samples.map(({ id }) => ({ id, response: glioma })))
    expect(scored.metrics).toEqual(asked.metrics)
    expect(scored.iou).toEqual(asked.iou)
    expect(scored).toMatchObject({ mode: 'predictions', policy: 'other' })
    const comparison = await compareRuns(path.join(folder, 'asked'), path.join(folder, 'out'))
    expect(comparison).toMatchObject({ samples: 6, leftOut: 0, policies: ['fake', 'other'] })
  })

  test('takes labels, and probabilities of labels', async () => {
    const scored = await score([
      { id: 'brain/0', labels: ['glioma'] },
      { id: 'brain/1', labels: [] },
      { id: 'brain/2', probabilities: { glioma: 0.8, none: 0.2 } },
      { id: 'brain/3', probabilities: { glioma: 0.7, none: 0.3 } },
      { id: 'brain/4', response: 'no idea' },
      { id: 'brain/5', labels: ['outside the list'] },
    ])
    expect(scored.metrics.overall.exactMatch).toBe(2 / 6)
    expect(scored.probabilities['brain']?.support).toBe(2)
    expect(scored.answers).toMatchObject({ answered: 4, unparseable: 2 })
  })

  test('missing rows are refused, left out, or wrong, as told', async () => {
    const some = samples.slice(0, 4).map(({ id }) => ({ id, labels: ['glioma'] }))
    await expect(score(some)).rejects.toMatchObject({
      code: 'EVAL_PREDICTIONS_MISSING',
      message: expect.stringContaining('2 samples, such as "brain/4"'),
    })
    expect(await readdir(folder)).toEqual(['other.jsonl'])
    expect((await score(some, { onMissing: 'exclude' })).metrics.overall).toMatchObject({ support: 4, exactMatch: 0.5 })
    const wrong = await score(some, { onMissing: 'wrong' })
    expect(wrong.metrics.overall).toMatchObject({ support: 6, exactMatch: 2 / 6 })
    expect(wrong.answers.failed).toBe(2)
  })

  test.for<[string, string | Prediction, string, RegExp]>([
    [
      'a second prediction',
      { id: 'brain/0', labels: [] },
      'EVAL_PREDICTIONS_INVALID',
      /Line 7 .* "brain\/0" a second time/,
    ],
    ['an unknown id', { id: 'brain/77', labels: [] }, 'EVAL_PREDICTIONS_UNKNOWN', /1 samples .* "brain\/77"/],
    ['no JSON', 'Mrs Example: glioma', 'EVAL_PREDICTIONS_INVALID', /^Line 7 of other.jsonl is no prediction/],
    ['neither response nor labels', '{"id":"x"}', 'EVAL_PREDICTIONS_INVALID', /Line 7/],
    ['a probability short', { id: 'brain/0', probabilities: { glioma: 1 } }, 'EVAL_PREDICTIONS_INVALID', /"none"/],
  ])('%s is refused before anything is written', async ([, line, code, message]) => {
    const all = samples.map(({ id }) => ({ id, labels: ['glioma'] }))
    await expect(score([...all, line])).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(await readdir(folder)).toEqual(['other.jsonl'])
  })
})
