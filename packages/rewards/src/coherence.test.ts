import { describe, expect, test } from 'vitest'
import { coherence } from './coherence.ts'
import { transformBox, type ViewTransform } from './geometry/view-link.ts'
import { parseResponse } from './parse/parsed-response.ts'
import type { RewardResult } from './reward.ts'

const scoreOf = (result: RewardResult): number => ('score' in result ? result.score : NaN)
const shift: ViewTransform = [1, 0, 10, 0, 1, 0]
const views = [{ image: 0, from: 1, transform: shift }]
const draw = (...entries: readonly object[]): ReturnType<typeof parseResponse> => parseResponse(JSON.stringify(entries))

describe('transformBox', () => {
  test.for<{ name: string; transform: ViewTransform; want: readonly number[] }>([
    { name: 'shifts', transform: shift, want: [11, 2, 13, 4] },
    { name: 'turns by a quarter', transform: [0, -1, 0, 1, 0, 0], want: [-4, 1, -2, 3] },
    { name: 'asks a function', transform: ({ x1, y1 }) => ({ x1, y1, x2: x1 + 1, y2: y1 + 1 }), want: [1, 2, 2, 3] },
  ])('$name', ({ transform, want }) => {
    const { x1, y1, x2, y2 } = transformBox({ x1: 1, y1: 2, x2: 3, y2: 4 }, transform)
    expect([x1, y1, x2, y2]).toEqual(want)
  })

  test.for([[[1, 2, 3]], [[1, 0, 0, 0, 1, NaN]]])('refuses %j', ([transform]) => {
    expect(() => transformBox({ x1: 0, y1: 0, x2: 1, y2: 1 }, transform!)).toThrow(
      expect.objectContaining({ code: 'REWARDS_TRANSFORM_INVALID' }),
    )
  })
})

describe('coherence', () => {
  const here = { bbox_2d: [10, 0, 20, 10], label: 'LV', image: 0 }
  test.for([
    { name: 'agreeing views', boxes: [here, { bbox_2d: [0, 0, 10, 10], label: 'lv', image: 1 }], want: 1 },
    { name: 'half agreement', boxes: [here, { bbox_2d: [0, 0, 5, 10], label: 'LV', image: 1 }], want: 0.5 },
    { name: 'a view without a box', boxes: [here], want: 0 },
    { name: 'another label', boxes: [here, { bbox_2d: [0, 0, 10, 10], label: 'RV', image: 1 }], want: 0 },
    {
      name: 'boxes without labels',
      boxes: [{ bbox_2d: [10, 0, 20, 10] }, { bbox_2d: [0, 0, 10, 10], image: 1 }],
      want: 1,
    },
    { name: 'no boxes', boxes: [], want: 0 },
  ])('scores $name with $want', ({ boxes, want }) => {
    expect(scoreOf(coherence(draw(...boxes), { answer: ['LV'], views }))).toBeCloseTo(want, 12)
  })

  test('does not apply without views', () => {
    expect(coherence(draw(here), { answer: ['LV'], views: [] })).toEqual({ notApplicable: 'no views' })
  })
})
