import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fakePolicy } from '../run/evaluation.testing.ts'
import type { SampleRecord } from '../run/sample-log.ts'
import { judgeAnswers } from './judge-answers.ts'
import { reasoningStatements } from './reasoning-statements.ts'
import { judgeRelevance, readGrades, summariseGrades, type GradedStatement } from './relevance-grades.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-judge-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function recordOf(index: number, rest: Partial<SampleRecord> = {}): SampleRecord {
  return {
    key: `k${index}`,
    sampleId: `mri/${index}`,
    dataset: 'brain',
    domain: 'mri',
    patient: 'p',
    question: 'Which label fits?',
    response:
      '<think>There is a bright mass in the left lobe. Gliomas enhance, e.g. after contrast. So.</think> \\boxed{GBM}',
    finish: 'end',
    tokens: 9,
    truth: ['glioma'],
    predicted: ['GBM'],
    answered: true,
    answer: 'GBM',
    boxes: [],
    problems: [],
    seconds: 1,
    ...rest,
  }
}

const records = [recordOf(0), recordOf(1, { answer: 'none', predicted: ['none'] }), recordOf(2, { answer: 'tumour' })]

/** Judges by the words of both answers, as a person would. */
function fairJudge(prompt: string): string {
  if (prompt.includes('tumour')) return 'Let me think {about it}. {"reason": "less specific", "verdict": "partly"}'
  return prompt.includes('GBM')
    ? '{"reason":"x","verdict":"same"}'
    : '```json\n{"reason":"y","verdict":"different"}\n```'
}

describe('judgeAnswers', () => {
  test('asks twice with the order exchanged, at temperature 0, and keeps the transcript', async () => {
    const judge = fakePolicy(fairJudge, 'judge')
    const judged = await judgeAnswers(records, { judge, file: path.join(folder, 'judge.jsonl') })
    expect(judged).toMatchObject({ score: (1 + 0 + 0.5) / 3, judged: 3, unreadable: 0, agreement: 1, kappa: 1 })
    expect(judge.asked.every(({ temperature }) => temperature === 0)).toBe(true)
    const lines = (await readFile(path.join(folder, 'judge.jsonl'), 'utf8')).trim().split('\n')
    const prompts = lines.map(line => (JSON.parse(line) as { prompt: string }).prompt) // written above
    expect(prompts.some(prompt => prompt.includes('Answer A: glioma\nAnswer B: GBM'))).toBe(true)
    expect(prompts.some(prompt => prompt.includes('Answer A: GBM\nAnswer B: glioma'))).toBe(true)
  })

  test('a judge that prefers a place disagrees with itself', async () => {
    const judge = fakePolicy(prompt => `{"verdict":"${prompt.includes('Answer A: glioma') ? 'same' : 'different'}"}`)
    const judged = await judgeAnswers(records, { judge, file: path.join(folder, 'judge.jsonl') })
    expect(judged).toMatchObject({ score: 0.5, agreement: 0 })
    expect(judged.kappa).toBeLessThanOrEqual(0)
  })

  test('an answer that is the true one is not asked about, and says nothing of agreement', async () => {
    const judge = fakePolicy(() => '{"verdict":"different"} as {I} said')
    const same = recordOf(7, { answer: 'Glioma', predicted: ['glioma'] })
    const judged = await judgeAnswers([same, records[1]!], { judge, file: path.join(folder, 'judge.jsonl') })
    expect(judge.asked).toHaveLength(2)
    expect(judged).toMatchObject({ score: 0.5, identical: 1, judged: 1, agreement: 1 })
  })

  test('a verdict that was cut off is asked for again', async () => {
    const file = path.join(folder, 'judge.jsonl')
    await judgeAnswers(records, { judge: fakePolicy(() => ({ text: '{"ver', finish: 'length' }), 'judge'), file })
    const again = fakePolicy(fairJudge, 'judge')
    expect(await judgeAnswers(records, { judge: again, file })).toMatchObject({ judged: 3 })
    expect(again.asked).toHaveLength(6)
  })

  test('what is no verdict is counted, and nothing is asked twice', async () => {
    const file = path.join(folder, 'judge.jsonl')
    const vague = fakePolicy(prompt => (prompt.includes('tumour') ? 'Hard to say.' : fairJudge(prompt)), 'judge')
    expect(await judgeAnswers(records, { judge: vague, file })).toMatchObject({ judged: 2, unreadable: 1 })
    const again = fakePolicy(fairJudge, 'judge')
    await judgeAnswers(records, { judge: again, file })
    expect(again.asked).toHaveLength(0)
  })
})

/** Grades of one answer's statements, in order. */
function graded(rater: string, grades: readonly GradedStatement['grade'][]): GradedStatement[] {
  return grades.map((grade, statement) => ({ sampleId: 's', statement, grade, rater }))
}

describe('relevance of reasoning', () => {
  test('statements are the sentences of the reasoning', () => {
    expect(reasoningStatements(recordOf(0)).map(({ text }) => text)).toEqual([
      'There is a bright mass in the left lobe.',
      'Gliomas enhance, e.g. after contrast.',
      'So.',
    ])
    expect(reasoningStatements(recordOf(0, { response: '\\boxed{x}' }))).toEqual([])
  })

  test('a judge grades them; a verdict of another length is none', async () => {
    const judge = fakePolicy(
      prompt => (prompt.includes('Answer given: none') ? '{"grades":["high"]}' : '{"grades":["high","low","none"]}'),
      'judge',
    )
    const { grades, unreadable } = await judgeRelevance(records, { judge, file: path.join(folder, 'r.jsonl') })
    expect(unreadable).toEqual(['mri/1'])
    expect(grades).toHaveLength(6)
    expect(grades[1]).toEqual({ sampleId: 'mri/0', statement: 1, grade: 'low', rater: 'judge' })
  })

  test('distribution and agreement of raters, beside a hand-worked kappa', () => {
    const a = graded('a', ['high', 'high', 'low', 'none'])
    const b = graded('b', ['high', 'low', 'low', 'none'])
    const { shares, agreement, statements } = summariseGrades([...a, ...b])
    expect(shares).toEqual({ high: 3 / 8, low: 3 / 8, none: 2 / 8 })
    expect(statements).toBe(4)
    // Observed 3/4; by chance (2*1 + 1*2 + 1*1) / 16.
    expect(agreement).toEqual([
      { raters: ['a', 'b'], statements: 4, kappa: expect.closeTo((3 / 4 - 5 / 16) / (1 - 5 / 16), 12) },
    ])
    expect(() => summariseGrades([...a, a[0]!])).toThrow(expect.objectContaining({ code: 'EVAL_GRADE_TWICE' }))
    expect(() => summariseGrades([])).toThrow(expect.objectContaining({ code: 'EVAL_NO_ROWS' }))
  })

  test('grades of people are read from a file', async () => {
    const file = path.join(folder, 'grades.jsonl')
    await writeFile(file, '{"sampleId":"s","statement":0,"grade":"high","rater":"a"}\n')
    expect(await readGrades(file)).toEqual([{ sampleId: 's', statement: 0, grade: 'high', rater: 'a' }])
    const two =
      '{"sampleId":"s","statement":0,"grade":"high","rater":"a"}\n{"sampleId":"s","statement":1,"grade":"low","rater":"a"}'
    await writeFile(file, two) // no line break at the end, as people's tools write
    expect(await readGrades(file)).toHaveLength(2)
    expect(await readFile(file, 'utf8')).toBe(two)
    await writeFile(file, '{"sampleId":"s","statement":0,"grade":"very","rater":"a"}\n')
    await expect(readGrades(file)).rejects.toMatchObject({ code: 'EVAL_LOG_UNREADABLE' })
  })
})
