import { describe, expect, test } from 'vitest'
import { combine } from './combine.ts'
import { parseResponse } from './parse/parsed-response.ts'
import { presets } from './presets.ts'
import type { AsyncReward } from './reward.ts'

const response = '<think>a</think> [{"bbox_2d":[0,0,10,10],"label":"Edema"}] \\boxed{Edema, Mass}'
const truth = { answer: ['Edema'], boxes: [{ x1: 0, y1: 0, x2: 10, y2: 5 }] }

const slow: AsyncReward = () => Promise.resolve({ score: 1 })

describe('combine', () => {
  test('adds the weighted parts and keeps them', () => {
    const { score, parts, weights, skipped, failures } = combine(presets.paper)(response, truth)
    expect(parts).toEqual({ accuracy: 2 / 3, iou: 0.5, format: 0 })
    expect(score).toBeCloseTo(0.6 * (2 / 3) + 0.2 * 0.5, 12)
    expect(weights).toEqual({ accuracy: 0.6, iou: 0.2, format: 0.2 })
    expect({ skipped, failures }).toEqual({ skipped: {}, failures: [] })
  })

  test('gives the weight of a reward that does not apply to the others, and says so', () => {
    const { score, weights, skipped } = combine({ accuracy: 0.6, iou: 0.3, coherence: 0.1 })('\\boxed{Edema}', {
      answer: ['Edema'],
    })
    expect({ score, weights, skipped }).toEqual({
      score: 1,
      weights: { accuracy: 1 },
      skipped: { iou: 'no spatial truth', coherence: 'no views' },
    })
  })

  test('takes parsed responses and nests', () => {
    const inner = combine({ accuracy: 1, exactMatch: 1 })
    const outer = combine({ inner: { weight: 1, reward: inner } })
    expect(outer(parseResponse('\\boxed{Edema, Mass}'), truth).score).toBeCloseTo(1 / 3, 12)
  })

  test('divides weights by their sum', () => {
    expect(combine({ accuracy: 3, exactMatch: 1 })('\\boxed{Edema, Mass}', truth).score).toBeCloseTo(0.5, 12)
  })

  test.for([
    {
      name: 'throws',
      reward: () => {
        throw new Error('no')
      },
      code: 'REWARDS_THREW',
    },
    { name: 'answers NaN', reward: () => ({ score: NaN }), code: 'REWARDS_NOT_FINITE' },
    { name: 'answers nothing', reward: () => undefined as never, code: 'REWARDS_NOT_FINITE' },
    { name: 'answers 2', reward: () => ({ score: 2 }), code: 'REWARDS_OUT_OF_RANGE' },
  ])('reports a reward that $name and counts it as 0', ({ reward, code }) => {
    const { score, parts, failures } = combine({ accuracy: 1, mine: { weight: 1, reward } })(
      '\\boxed{Edema}',
      truth,
      'study-7',
    )
    expect(score).toBe(0.5)
    expect(parts).toEqual({ accuracy: 1, mine: 0 })
    expect(failures.map(failure => [failure.reward, failure.sampleId, failure.error.code])).toEqual([
      ['mine', 'study-7', code],
    ])
  })

  test.for([
    { weights: { acuracy: 1 }, code: 'REWARDS_UNKNOWN_REWARD', hint: 'Did you mean accuracy?' },
    { weights: { accuracy: -1 }, code: 'REWARDS_WEIGHT_INVALID', hint: 'weight' },
    { weights: { accuracy: NaN }, code: 'REWARDS_WEIGHT_INVALID', hint: 'weight' },
    { weights: { accuracy: 0 }, code: 'REWARDS_WEIGHTS_EMPTY', hint: 'positive' },
    { weights: {}, code: 'REWARDS_WEIGHTS_EMPTY', hint: 'positive' },
  ])('refuses $weights', ({ weights, code, hint }) => {
    expect(() => combine(weights as Record<string, number>)).toThrow(
      expect.objectContaining({ code, hint: expect.stringContaining(hint) }),
    )
  })

  test('refuses a promise', () => {
    const composite = combine<AsyncReward>({ slow: { weight: 1, reward: slow } })
    expect(() => composite('', truth)).toThrow(expect.objectContaining({ code: 'REWARDS_ASYNC_REWARD' }))
  })
})
