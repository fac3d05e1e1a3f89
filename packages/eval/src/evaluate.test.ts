import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Sample } from '@qoq-med/data-climb'
import { HintedError } from '@qoq-med/errors'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { evaluate, readSampleLog } from './index.ts'
import { fakePolicy, glioma, mriSample } from './run/evaluation.testing.ts'

let outDir = ''
beforeEach(async () => {
  outDir = await mkdtemp(path.join(tmpdir(), 'qoq-eval-'))
})
afterEach(() => rm(outDir, { recursive: true, force: true }))

const ecgSample: Sample = {
  ...mriSample(9),
  id: 'ptb/1',
  dataset: 'ptb',
  domain: 'ecg',
  modality: ['ecg'],
  question: 'ECG?',
  labels: ['MI', 'NORM'],
  answer: ['MI'],
}
const { images: _images, boxes: _boxes, ...withoutPictures } = ecgSample
const ecg: Sample = {
  ...withoutPictures,
  ecg: async () => ({ leads: ['I'], samplingRateHz: 250, signalMv: [new Float32Array(4)] }),
}

const four = [0, 1, 2, 3].map(index => mriSample(index))

const square = () => ({ width: 8, height: 8 })

/** A policy that sees every picture twice as wide and four times as high. */
function wideSize({ width, height }: { width: number; height: number }): { width: number; height: number } {
  return { width: width * 2, height: height * 4 }
}

describe('evaluate', () => {
  test('scores answers, boxes and unparseable responses, and shows media before the question', async () => {
    const policy = fakePolicy(question => (question.startsWith('ECG') ? 'no idea' : glioma))
    const results = await evaluate({ policy, samples: [...four, ecg], outDir })
    expect(results.metrics.datasets['brain']).toMatchObject({ exactMatch: 0.5, support: 4, unparseable: 0 })
    expect(results.metrics.datasets['ptb']).toMatchObject({ exactMatch: 0, unparseable: 1 })
    expect(results.metrics.overall).toMatchObject({ exactMatch: 0.25, domains: 2 })
    expect(results.iou).toEqual({ brain: { mean: 0.5, support: 4 } })
    expect(results.confusion['brain']).toEqual({
      classes: ['glioma', 'none', '(none)'],
      counts: [2, 0, 0, 2, 0, 0, 0, 0, 0],
    })
    expect(policy.asked.map(({ prompt }) => prompt[0]?.content.map(({ type }) => type).join())).toContain('ecg,text')
    expect(policy.asked.map(({ prompt }) => prompt[0]?.content.map(({ type }) => type).join())).toContain('image,text')
  })

  test('takes boxes from the pixels that the policy sees to those of the file', async () => {
    const seen = glioma.replace('[0,0,2,1]', '[0,0,4,4]')
    await evaluate({ policy: fakePolicy(() => seen), samples: [mriSample(0)], outDir, seenSize: wideSize })
    const [record] = [...(await readSampleLog(path.join(outDir, 'samples.jsonl'))).values()]
    expect(record).toMatchObject({ boxes: [[0, 0, 2, 1]], iou: 0.5 })
  })

  test('takes each box to the pixels of its own picture, and compares it there', async () => {
    const tall = { width: 2, height: 8, data: new Uint8Array(48) }
    const two = mriSample(0, {
      images: async () => [{ width: 4, height: 2, data: new Uint8Array(24) }, tall],
      boxes: [
        { x1: 0, y1: 0, x2: 2, y2: 2 },
        { x1: 0, y1: 0, x2: 2, y2: 4, image: 1 },
      ],
    })
    // Both pictures are seen at 8 x 8: the first twice as wide and four times as high, the second four times as wide.
    const answer = glioma.replace('"bbox_2d":[0,0,2,1]', '"image":1,"bbox_2d":[0,0,8,2]')
    await evaluate({ policy: fakePolicy(() => answer), samples: [two], outDir, seenSize: square })
    const [record] = [...(await readSampleLog(path.join(outDir, 'samples.jsonl'))).values()]
    expect(record).toMatchObject({ boxes: [[0, 0, 2, 2, 1]], iou: 0.5 })
  })

  test('writes results.json, samples.jsonl and report.md', async () => {
    const results = await evaluate({
      policy: fakePolicy(() => glioma),
      samples: four,
      outDir,
      config: { split: 'test' },
      versions: { eval: '0.1.0' },
    })
    const written: unknown = JSON.parse(await readFile(path.join(outDir, 'results.json'), 'utf8'))
    expect(written).toEqual(JSON.parse(JSON.stringify(results)))
    expect(written).toMatchObject({
      schemaVersion: 2,
      policy: 'fake',
      config: { split: 'test' },
      versions: { eval: '0.1.0' },
    })
    const [first] = [...(await readSampleLog(path.join(outDir, 'samples.jsonl'))).values()]
    expect(first).toMatchObject({
      dataset: 'brain',
      response: glioma,
      predicted: ['glioma'],
      boxes: [[0, 0, 2, 1]],
      iou: 0.5,
    })
    expect(JSON.stringify(first)).not.toContain('"p1"')
    const report = await readFile(path.join(outDir, 'report.md'), 'utf8')
    expect(report).toContain('| Model | MRI Acc | MRI F1 | Overall Acc | Overall F1 |')
    expect(report).toContain('| fake | .500 | .333 | .500 | .333 |')
    expect(report).toContain('| MRI/brain | 0.5000 |')
    expect(report).toContain('Research use only')
  })

  test('goes on after a kill: answers that are there are not asked again, a cut line is', async () => {
    const failing = fakePolicy(question => {
      if (question.startsWith('Question 0')) throw new Error('the machine went away')
      return glioma
    })
    await expect(evaluate({ policy: failing, samples: four, outDir, batchSize: 4 })).rejects.toThrow('went away')
    const log = path.join(outDir, 'samples.jsonl')
    await appendFile(log, '{"key":"cut off in the mid')
    const policy = fakePolicy(() => glioma)
    const results = await evaluate({ policy, samples: four, outDir })
    expect(policy.asked).toHaveLength(1)
    await rm(outDir, { recursive: true })
    const afresh = await evaluate({ policy: fakePolicy(() => glioma), samples: four, outDir })
    expect(results).toEqual(afresh)
  })

  test('reports how far it is, and stops at a signal with a note of what is kept', async () => {
    const controller = new AbortController()
    const done: number[] = []
    const onProgress = (progress: { done: number }): void => {
      done.push(progress.done)
      if (progress.done === 2) controller.abort()
    }
    const options = { policy: fakePolicy(() => glioma), samples: four, outDir, batchSize: 2 }
    const stopped = evaluate({ ...options, signal: controller.signal, onProgress })
    await expect(stopped).rejects.toMatchObject({
      code: 'EVAL_ABORTED',
      message: expect.stringContaining('after 2 of 4'),
    })
    await expect(readFile(path.join(outDir, 'results.json'))).rejects.toThrow('ENOENT')
    await evaluate(options)
    expect(done).toEqual([0, 1, 2])
  })

  test('asks greedily by default and as told otherwise', async () => {
    const policy = fakePolicy(() => glioma)
    await evaluate({ policy, samples: [mriSample(0)], outDir, sampling: { temperature: 0.7, maxNewTokens: 9 } })
    expect(policy.asked[0]).toMatchObject({ temperature: 0.7, topP: 1, maxNewTokens: 9, seed: 42 })
  })

  test('gives the same bits twice', async () => {
    const [a, b] = [path.join(outDir, 'a'), path.join(outDir, 'b')]
    for (const folder of [a, b]) await evaluate({ policy: fakePolicy(() => glioma), samples: four, outDir: folder })
    expect(await readFile(path.join(a, 'results.json'), 'utf8')).toBe(
      await readFile(path.join(b, 'results.json'), 'utf8'),
    )
  })
})

describe('evaluate with samples that cannot be used', () => {
  const unreadable = new HintedError('DATA_FILE_UNREADABLE', 'The file t.jpg cannot be read.', 'Fetch it again.')
  const tooLong = new HintedError('ENCODERS_IMAGE_TOO_LONG', 'The picture is 230 times as wide as high.', 'Crop it.')
  const broken = mriSample(1, { images: () => Promise.reject(unreadable) })
  const samples = [mriSample(0), broken, ...Array.from({ length: 8 }, (_, i) => mriSample(i + 2))]
  /** A policy that fails on a whole batch for one sample that it cannot take. */
  const picky = (names: readonly string[]) =>
    fakePolicy(question => {
      if (names.some(name => question.startsWith(name))) throw tooLong
      return glioma
    })

  test('leaves them out, counts them and names them in the report, and goes on', async () => {
    const results = await evaluate({
      policy: picky(['Question 4:']),
      samples,
      outDir,
      onError: 'skip',
      maxFailureShare: 0.2,
      batchSize: 4,
    })
    expect(results.metrics.overall.support).toBe(8)
    expect(results.failures).toEqual([
      { id: 'brain/1', code: 'DATA_FILE_UNREADABLE', message: unreadable.message },
      { id: 'brain/4', code: 'ENCODERS_IMAGE_TOO_LONG', message: tooLong.message },
    ])
    const report = await readFile(path.join(outDir, 'report.md'), 'utf8')
    expect(report).toContain('2 samples could not be used')
    expect(report).toContain('- brain/4: The picture is 230 times as wide as high.')
  })

  test('asks those again that are mended', async () => {
    await evaluate({ policy: picky([]), samples, outDir, onError: 'skip' })
    const policy = picky([])
    const mended = samples.map(sample => (sample === broken ? mriSample(1) : sample))
    const results = await evaluate({ policy, samples: mended, outDir, onError: 'skip' })
    expect(policy.asked).toHaveLength(1)
    expect(results.failures).toEqual([])
  })

  test('stops at the first without that option', async () => {
    await expect(evaluate({ policy: picky([]), samples, outDir })).rejects.toBe(unreadable)
    await rm(outDir, { recursive: true })
    const rejected = evaluate({ policy: picky(['Question 0:']), samples: [mriSample(0)], outDir })
    await expect(rejected).rejects.toBe(tooLong)
  })

  test('stops when too many fail, and keeps the answers', async () => {
    const policy = picky(['Question 5:', 'Question 6:'])
    const stopped = evaluate({ policy, samples, outDir, onError: 'skip', maxFailureShare: 0.2, batchSize: 2 })
    await expect(stopped).rejects.toMatchObject({
      code: 'DATA_TOO_MANY_FAILURES',
      message: expect.stringContaining('3 of 10'),
    })
    expect((await readSampleLog(path.join(outDir, 'samples.jsonl'))).size).toBe(5)
  })

  test('does not take a fault of the program for one of a sample', async () => {
    const fault = mriSample(0, { images: () => Promise.reject(new TypeError('undefined is not a function')) })
    const stopped = evaluate({ policy: picky([]), samples: [fault, ...samples], outDir, onError: 'skip' })
    await expect(stopped).rejects.toThrow(TypeError)
  })
})

describe('evaluate refuses', () => {
  test('no samples', async () => {
    await expect(evaluate({ policy: fakePolicy(() => ''), samples: [], outDir })).rejects.toMatchObject({
      code: 'EVAL_NO_SAMPLES',
    })
  })

  test('the folder of another policy', async () => {
    await evaluate({ policy: fakePolicy(() => glioma), samples: four, outDir })
    const other = evaluate({ policy: fakePolicy(() => glioma, 'other'), samples: four, outDir })
    await expect(other).rejects.toMatchObject({
      code: 'EVAL_RUN_MISMATCH',
      message: expect.stringContaining('4 answers'),
    })
  })

  test('a log that is none', async () => {
    await writeFile(path.join(outDir, 'samples.jsonl'), '{"key":1}\n')
    const failing = evaluate({ policy: fakePolicy(() => glioma), samples: four, outDir })
    await expect(failing).rejects.toMatchObject({
      code: 'EVAL_LOG_UNREADABLE',
      message: expect.stringContaining('Line 1 of'),
    })
  })

  test('a policy that ends without an answer', async () => {
    const failing = evaluate({ policy: fakePolicy(() => undefined), samples: [mriSample(0)], outDir })
    await expect(failing).rejects.toMatchObject({
      code: 'EVAL_ANSWER_MISSING',
      message: expect.stringContaining('brain/0'),
    })
  })
})
