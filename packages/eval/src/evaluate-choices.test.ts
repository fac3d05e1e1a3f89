import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { EcgRecording } from '@qoq-med/data-climb'
import { HintedError } from '@qoq-med/errors'
import type { Grammar } from '@qoq-med/model'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { evaluate } from './evaluate.ts'
import { fakePolicy, glioma, mriSample } from './run/evaluation.testing.ts'
import { readSampleLog } from './run/sample-log.ts'

let outDir = ''
beforeEach(async () => {
  outDir = await mkdtemp(path.join(tmpdir(), 'qoq-eval-'))
})
afterEach(() => rm(outDir, { recursive: true, force: true }))

const eight = Array.from({ length: 8 }, (_, index) => mriSample(index))

/** Refuses the first question. */
function failing(): ReturnType<typeof fakePolicy> {
  return fakePolicy(question => {
    if (question.startsWith('Question 0')) throw new HintedError('MODEL_REMOTE_REFUSED', 'It refuses.', 'Ask less.')
    return glioma
  })
}

/** Ranks the right label first: [.9, .1] or [.4, .6]. */
async function scoreLabels(
  prompt: readonly { content: readonly { type: string; text?: string }[] }[],
): Promise<number[]> {
  const text = prompt[0]!.content.at(-1)!.text!
  return Number(/\d+/.exec(text)![0]) % 2 === 0 ? [0.9, 0.1] : [0.4, 0.6]
}

async function ecg(): Promise<EcgRecording> {
  return { leads: ['I'], samplingRateHz: 250, signalMv: [new Float32Array(4)] }
}

function grammarOf(): Grammar {
  return { type: 'literal', text: 'x' }
}

function groupsOf({ id }: { readonly id: string }): Record<string, string> {
  return { sex: Number(id.split('/')[1]) < 4 ? 'F' : 'M' }
}

describe('how answers ended', () => {
  test('cut off, refused and without a box are told apart', async () => {
    const policy = fakePolicy(question => {
      if (question.startsWith('Question 0')) return { text: '<think>and so on', finish: 'length' }
      if (question.startsWith('Question 1')) return { text: '\\boxed{none}', finish: 'refused' }
      return question.startsWith('Question 2') ? 'no idea' : glioma
    })
    const { answers, metrics } = await evaluate({ policy, samples: eight, outDir })
    expect(answers).toEqual({ answered: 5, unparseable: 1, cutOff: 1, refused: 1, failed: 0 })
    expect(metrics.overall.unparseable).toBe(1 / 8)
    expect(metrics.overall.exactMatch).toBe(2 / 8) // questions 4 and 6; the refusal of 1 is not an answer
  })

  test('failures are left out, or count as wrong where that is asked for', async () => {
    const options = { samples: eight, onError: 'skip', concurrency: 3, maxFailureShare: 0.5 } as const
    const left = await evaluate({ ...options, policy: failing(), outDir: path.join(outDir, 'a') })
    const wrong = await evaluate({ ...options, policy: failing(), outDir: path.join(outDir, 'b'), onFailure: 'wrong' })
    expect([left.metrics.overall.support, left.metrics.overall.exactMatch]).toEqual([7, 3 / 7])
    expect([wrong.metrics.overall.support, wrong.metrics.overall.exactMatch]).toEqual([8, 3 / 8])
    expect([left.answers.failed, wrong.answers.failed]).toEqual([1, 1])
  })
})

describe('one by one', () => {
  test('gives the numbers of batches, and asks a failing sample once', async () => {
    let refusals = 0
    const policy = fakePolicy(question => {
      if (!question.startsWith('Question 5')) return glioma
      refusals++
      throw new HintedError('MODEL_REMOTE_UNAVAILABLE', 'It is away.', 'Wait.')
    })
    const results = await evaluate({
      policy,
      samples: eight,
      outDir,
      concurrency: 4,
      onError: 'skip',
      maxFailureShare: 1,
    })
    expect(refusals).toBe(1)
    expect(policy.asked).toHaveLength(8)
    expect(results.failures).toEqual([{ id: 'brain/5', code: 'MODEL_REMOTE_UNAVAILABLE', message: 'It is away.' }])
  })

  test.for(['MODEL_REMOTE_KEY', 'MODEL_REMOTE_CIRCUIT', 'MODEL_POLICY_CLOSED'])(
    '%s is no failure of a sample',
    async code => {
      const policy = fakePolicy(() => {
        throw new HintedError(code, 'No.', 'Mend it.')
      })
      const stopped = evaluate({ policy, samples: eight, outDir, concurrency: 2, onError: 'skip', maxFailureShare: 1 })
      await expect(stopped).rejects.toMatchObject({ code })
      expect(policy.asked.length).toBeLessThanOrEqual(2)
    },
  )
})

describe('answer modes', () => {
  test('score: labels are ranked, and calibration comes with it', async () => {
    const policy = fakePolicy(() => {
      throw new Error('never asked')
    })
    const results = await evaluate({ policy, samples: eight, outDir, mode: 'score', scoreLabels })
    expect(results.metrics.overall.exactMatch).toBe(1)
    expect(results.probabilities['brain']).toMatchObject({ auroc: 1, support: 8 })
    expect(results.probabilities['brain']!.calibrationError).toBeCloseTo(0.25, 9)
    expect(results.mode).toBe('score')
  })

  test('score needs log-probabilities', async () => {
    const stopped = evaluate({ policy: fakePolicy(() => glioma), samples: eight, outDir, mode: 'score' })
    await expect(stopped).rejects.toMatchObject({ code: 'EVAL_SCORES_MISSING' })
  })

  test('grammar: the policy is given the form', async () => {
    const policy = fakePolicy(() => glioma)
    await evaluate({ policy, samples: eight.slice(0, 1), outDir, mode: 'grammar', grammarOf })
    expect(policy.asked[0]?.grammar).toEqual({ type: 'literal', text: 'x' })
  })
})

describe('inputs', () => {
  const multimodal = mriSample(0, { modality: ['image', 'ecg', 'text'], ecg })

  test.for([
    ['full', 'image,ecg,text'],
    ['vision+text', 'image,text'],
    ['ecg+text', 'ecg,text'],
    ['text', 'text'],
  ] as const)('%s shows %s', async ([inputs, shown]) => {
    const policy = fakePolicy(() => glioma)
    const { iou } = await evaluate({ policy, samples: [multimodal], outDir, inputs })
    expect(policy.asked[0]!.prompt[0]!.content.map(({ type }) => type).join()).toBe(shown)
    expect('brain' in iou).toBe(shown.includes('image'))
  })

  test('one choice does not go on from another', async () => {
    await evaluate({ policy: fakePolicy(() => glioma), samples: [multimodal], outDir })
    const other = evaluate({ policy: fakePolicy(() => glioma), samples: [multimodal], outDir, inputs: 'text' })
    await expect(other).rejects.toMatchObject({ code: 'EVAL_RUN_MISMATCH' })
  })
})

describe('subgroups', () => {
  test('failures that count as wrong stay in the groups of their patients', async () => {
    const options = { samples: eight, onError: 'skip', concurrency: 2, maxFailureShare: 1, minPatients: 1 } as const
    const { fairness } = await evaluate({ ...options, policy: failing(), outDir, onFailure: 'wrong', groupsOf })
    const { groups } = fairness!.datasets['brain']!.attributes['sex']!
    expect(Object.keys(groups)).toEqual(['F', 'M'])
    expect(groups['F']).toMatchObject({ support: 4 })
  })

  test('can be given to answers that are there already', async () => {
    await evaluate({ policy: fakePolicy(() => glioma), samples: eight, outDir })
    const policy = fakePolicy(() => glioma)
    const results = await evaluate({ policy, samples: eight, outDir, groupsOf, minPatients: 1 })
    expect(policy.asked).toHaveLength(0)
    expect(Object.keys(results.fairness!.datasets['brain']!.attributes['sex']!.groups)).toEqual(['F', 'M'])
  })
})

test('a score that is no number stops before it is written', async () => {
  const stopped = evaluate({
    policy: fakePolicy(() => glioma),
    samples: eight,
    outDir,
    mode: 'score',
    scoreLabels: async () => [Number.NaN, 1],
  })
  await expect(stopped).rejects.toMatchObject({ code: 'EVAL_SCORES_MISSING' })
  expect(await readSampleLog(path.join(outDir, 'samples.jsonl'))).toEqual(new Map())
})

test('labels in another order overlap in every word', async () => {
  const both = mriSample(0, { answer: ['glioma', 'none'], answerMode: 'multi' })
  const results = await evaluate({ policy: fakePolicy(() => '\\boxed{none, glioma}'), samples: [both], outDir })
  expect(results.wordOverlap['brain']).toEqual({ jaccard: 1, f1: 1 })
})

describe('what is left behind', () => {
  test('subgroups, where groups are known', async () => {
    const results = await evaluate({
      policy: fakePolicy(() => glioma),
      samples: eight,
      outDir,
      groupsOf,
      minPatients: 1,
    })
    expect(results.fairness?.datasets['brain']?.attributes['sex']?.groups).toMatchObject({
      F: { support: 4 },
      M: { patients: 2 },
    })
    const html = await readFile(path.join(outDir, 'report.html'), 'utf8')
    expect(html).toContain('Subgroups')
  })

  test('a Parquet table of the samples', async () => {
    await evaluate({ policy: fakePolicy(() => glioma), samples: eight, outDir })
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path.join(outDir, 'samples.parquet')) })
    const [record] = (await readSampleLog(path.join(outDir, 'samples.jsonl'))).values()
    expect(rows).toHaveLength(8)
    expect(rows.find(row => row['sample'] === record!.sampleId)).toMatchObject({
      response: glioma,
      predicted: '["glioma"]',
      iou: 0.5,
      probabilities: 'null',
    })
  })

  test('a report without the network, with pictures, boxes and no markup of an answer', async () => {
    const policy = fakePolicy(() => `${glioma}<script>alert(1)</script>`)
    await evaluate({ policy, samples: eight, outDir, config: { command: 'qoq eval --model x' } })
    const html = await readFile(path.join(outDir, 'report.html'), 'utf8')
    expect(html).not.toMatch(/(src|href)="(?!data:|#)/)
    expect(html).not.toContain('<script')
    expect(html.match(/data:image\/png/g)?.length).toBe(8)
    expect(html).toContain('#ffd400')
    expect(html).toContain('qoq eval --model x')
    for (const head of ['Summary', 'Domains', 'Datasets', 'Beside the paper', 'Confusion', 'Boxes', 'Examples'])
      expect(html).toContain(head)
  })
})

test('two evaluations at a time do not write into one folder', async () => {
  const slow = fakePolicy(() => glioma)
  // Which of the two is first is not said.
  const both = await Promise.allSettled([1, 2].map(() => evaluate({ policy: slow, samples: eight, outDir })))
  const [refused, ...others] = both.filter(({ status }) => status === 'rejected')
  expect(others).toEqual([])
  expect(refused).toMatchObject({ reason: { code: 'EVAL_RUN_BUSY' } })
  await writeFile(path.join(outDir, 'evaluation.lock'), '999999999') // left behind by a kill
  await evaluate({ policy: slow, samples: eight, outDir })
})
