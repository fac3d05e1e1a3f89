import { describe, expect, test } from 'vitest'
import { combine } from '../combine.ts'
import { lintReward, type LintReport } from './lint-reward.ts'
import { presets } from '../presets.ts'
import { renderLint } from './render-lint.ts'
import type { AsyncReward, Reward } from '../reward.ts'

const verdicts = ({ rows }: LintReport): Record<string, string> =>
  Object.fromEntries(rows.filter(({ verdict }) => verdict !== 'ok').map(({ probe, verdict }) => [probe, verdict]))
const longerIsBetter: Reward = ({ text }) => ({ score: Math.min(1, text.length / 10_000) })
const nanForEmpty: AsyncReward = ({ text }) => Promise.resolve({ score: text === '' ? NaN : 0.5 })
const throwing: Reward = () => {
  throw new Error('always')
}

describe('lintReward', () => {
  test('finds what the paper pays for', async () => {
    const report = await lintReward(combine(presets.paper))
    expect(verdicts(report)).toEqual({
      'every-label': 'pays',
      'whole-image': 'pays',
      'box-spray': 'pays',
      'same-box': 'pays',
    })
    expect(report.ordersHonestAnswers).toBe(true)
  })

  test('finds that the public code pays for length and for boxes without an area', async () => {
    const found = verdicts(await lintReward(combine(presets.release)))
    expect(found).toMatchObject({ 'long-text': 'pays', 'filler-only': 'pays', 'flat-box': 'pays' })
  })

  test('finds nothing to gain with exact matches alone', async () => {
    expect(verdicts(await lintReward(combine({ exactMatch: 1 })))).toEqual({})
  })

  test('puts the pay next to the honest answer, per question', async () => {
    const { cases, rows } = await lintReward(combine({ accuracy: 1 }))
    const everyLabel = cases.filter(({ probe }) => probe === 'every-label').map(({ score }) => score)
    expect(everyLabel).toEqual([2 / 5, 4 / 7, 2 / 6, 0])
    expect(rows.find(({ probe }) => probe === 'every-label')).toMatchObject({
      verdict: 'pays',
      gain: 4 / 7,
      worst: { question: 'several labels with a box', baselineScore: 0 },
    })
  })

  test('lints a bare reward, which may be asynchronous', async () => {
    expect(verdicts(await lintReward(longerIsBetter))).toMatchObject({ 'long-text': 'pays', 'broken-braces': 'pays' })
    const report = await lintReward(nanForEmpty)
    expect(verdicts(report)).toEqual({ empty: 'fails' })
    expect(report.ordersHonestAnswers).toBe(false)
    expect(report.rows[0]?.worst?.failure).toBe('REWARDS_NOT_FINITE')
  })

  test('reports a reward that throws for every probe', async () => {
    expect(Object.values(verdicts(await lintReward(throwing)))).toEqual(Array.from({ length: 15 }, () => 'fails'))
  })

  test('asks about truths of one’s own and fills in what they leave open', async () => {
    const mask = { width: 4, height: 4, rle: [5, 2, 2, 2, 5] }
    const truths = [{ answer: ['A'] }, { answer: ['A'], mask }, { answer: ['A'], mask, image: { width: 8, height: 8 } }]
    const { honest, cases } = await lintReward(combine({ iou: 1 }), { truths: truths.slice(1) })
    expect(honest.right).toBe(1)
    expect(cases.map(({ question }) => question)).toContain('truth 1')
    expect((await lintReward(combine({ accuracy: 1 }), { truths })).honest.right).toBe(1)
  })

  test('says where no question fits a probe', async () => {
    const { rows } = await lintReward(combine({ accuracy: 1 }), { truths: [{ answer: ['MI'], modality: 'ecg' }] })
    expect(rows.find(({ probe }) => probe === 'same-box')).toMatchObject({ verdict: 'ok', gain: 0, worst: undefined })
  })
})

describe('renderLint', () => {
  test('writes a line per probe and names what to look at', async () => {
    const text = renderLint(
      await lintReward(combine({ accuracy: 1 }), { truths: [{ answer: ['MI'], modality: 'ecg' }] }),
    )
    expect(text).toContain('right 1.000   wrong 0.000   right without evidence 1.000')
    expect(text).toMatch(/every-label +0\.667 +0\.000 +\+0\.667 +pays +truth 0/)
    expect(text).toMatch(/same-box +- +- +- +ok +no question/)
    expect(text).toContain('1 of 15 probes are worth a look.')
  })

  test('says when right answers are not worth more, and when nothing is found', async () => {
    const flat = renderLint(await lintReward(() => ({ score: 0.5 })))
    expect(flat).toContain('Right answers are not worth more than wrong ones on every question.')
    expect(flat).toContain('No probe is paid more than an honest answer.')
  })
})
