import { describe, expect, test } from 'vitest'
import type { RewardFailure } from './breakdown.ts'
import { combine } from './combine.ts'
import type { AsyncReward } from './reward.ts'
import { scoreBatch } from './score-batch.ts'

const truth = { answer: ['A'] }
const rows = ['\\boxed{A}', '\\boxed{B}', '\\boxed{A, B}'].map((response, i) => ({
  response,
  truth,
  sampleId: `s${i}`,
}))
const never: AsyncReward = () => new Promise(() => {})
const rejecting: AsyncReward = () => Promise.reject(new Error('no service'))
const nan: AsyncReward = () => Promise.resolve({ score: NaN })

describe('scoreBatch', () => {
  test('scores in order, like one call after the other', async () => {
    const composite = combine({ accuracy: 1, exactMatch: 1 })
    const breakdowns = await scoreBatch(composite, rows)
    expect(breakdowns).toEqual(rows.map(({ response }) => composite(response, truth)))
  })

  test('waits for asynchronous rewards and keeps the order of the rows', async () => {
    const started: string[] = []
    const slow: AsyncReward = async ({ text }) => {
      started.push(text)
      await new Promise(resolve => setTimeout(resolve, text.includes('A}') ? 20 : 1))
      return { score: text.includes('A') ? 1 : 0 }
    }
    const composite = combine<AsyncReward>({ slow: { weight: 1, reward: slow } })
    for (const concurrency of [1, 3]) {
      const breakdowns = await scoreBatch(composite, rows, { concurrency })
      expect(breakdowns.map(({ score }) => score)).toEqual([1, 0, 1])
    }
    expect(started).toEqual([...rows, ...rows].map(({ response }) => response))
  })

  test.for([
    { name: 'times out', reward: never, code: 'REWARDS_TIMEOUT' },
    { name: 'rejects', reward: rejecting, code: 'REWARDS_THREW' },
    { name: 'answers NaN', reward: nan, code: 'REWARDS_NOT_FINITE' },
  ])('reports a reward that $name, with the sample, and goes on', async ({ reward, code }) => {
    const reported: RewardFailure[] = []
    const composite = combine<AsyncReward>({ accuracy: 1, mine: { weight: 1, reward } })
    const breakdowns = await scoreBatch(composite, rows, {
      timeoutMs: 10,
      onFailure: failure => reported.push(failure),
    })
    expect(breakdowns.map(({ score }) => score)).toEqual([0.5, 0, 1 / 3])
    expect(reported.map(({ reward: name, sampleId, error }) => [name, sampleId, error.code])).toEqual(
      rows.map(({ sampleId }) => ['mine', sampleId, code]),
    )
  })

  test('names rows by index where they have no name, and takes an empty batch', async () => {
    const composite = combine<AsyncReward>({ mine: { weight: 1, reward: nan } })
    const [, second] = await scoreBatch(
      composite,
      rows.map(({ response }) => ({ response, truth })),
    )
    expect(second?.failures[0]?.sampleId).toBe('1')
    expect(await scoreBatch(composite, [])).toEqual([])
  })
})
