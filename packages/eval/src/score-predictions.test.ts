import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compareRuns } from './run/compare-runs.ts'
import { evaluate } from './evaluate.ts'
import { likeliestLabels } from './run/answer-mode.ts'
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
      { id: 'brain/5', labels: ['NONE.'] },
    ])
    // Right: 0, 2 and 5, whose label is compared as rewards compare it; no label is an answer, too.
    expect(scored.metrics.overall.exactMatch).toBe(3 / 6)
    expect(scored.confusion['brain']!.counts).toEqual([2, 0, 1, 1, 1, 1, 0, 0, 0])
    expect(scored.probabilities['brain']?.support).toBe(2)
    expect(scored.answers).toMatchObject({ answered: 5, unparseable: 1 })
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

  test('independent probabilities of several labels are cut at .5, shares of one choice at their mean', () => {
    const several = { labels: ['a', 'b', 'c'], answerMode: 'multi' } as const
    expect(likeliestLabels(several, [0.9, 0.2, 0.6])).toEqual(['a', 'c'])
    expect(likeliestLabels(several, [0.1, 0.2, 0.2])).toEqual([])
    expect(likeliestLabels(several, [0.5, 0.4, 0.1])).toEqual(['a', 'b'])
    expect(likeliestLabels({ ...several, answerMode: 'single' }, [0.1, 0.2, 0.2])).toEqual(['b'])
  })

  test('answers of another run are not written over', async () => {
    const outDir = path.join(folder, 'out')
    await evaluate({ policy: fakePolicy(() => glioma), samples, outDir })
    const before = await readFile(path.join(outDir, 'samples.jsonl'), 'utf8')
    await expect(score(samples.map(({ id }) => ({ id, response: glioma })))).rejects.toMatchObject({
      code: 'EVAL_RUN_MISMATCH',
    })
    expect(await readFile(path.join(outDir, 'samples.jsonl'), 'utf8')).toBe(before)
  })

  test('the same predictions again, mended, replace themselves; none at all leave nothing', async () => {
    await score(samples.map(({ id }) => ({ id, labels: ['glioma'] })))
    const mended = await score(samples.map(({ id, answer }) => ({ id, labels: [...answer] })))
    expect(mended.metrics.overall.exactMatch).toBe(1)
    await rm(path.join(folder, 'out'), { recursive: true })
    await expect(score([], { onMissing: 'exclude' })).rejects.toMatchObject({ code: 'EVAL_NO_SAMPLES' })
    expect(await readdir(folder)).toEqual(['other.jsonl'])
  })

  test('a byte order mark is no part of the first line, and an error quotes none', async () => {
    const lines = samples.map(({ id }) => JSON.stringify({ id, labels: ['glioma'] }))
    await score([`\uFEFF${lines[0]!}`, ...lines.slice(1)])
    const error: unknown = await score(['{"id": "brain/0", "response": "Mrs Example']).catch(
      (thrown: unknown) => thrown,
    )
    expect(JSON.stringify([error, String(error), String((error as Error).cause)])).not.toContain('Example')
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
    ['a label outside the list', { id: 'brain/5', labels: ['gliom'] }, 'EVAL_LABEL_UNKNOWN', /Line 7 .*"gliom"/],
  ])('%s is refused before anything is written', async ([, line, code, message]) => {
    const all = samples.map(({ id }) => ({ id, labels: ['glioma'] }))
    await expect(score([...all, line])).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(await readdir(folder)).toEqual(['other.jsonl'])
  })
})
