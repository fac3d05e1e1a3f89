import { describe, expect, test } from 'vitest'
import { boxFromXywh, boxIou, clipBox } from './geometry/box.ts'
import { createIou, iou, maskIou } from './iou.ts'
import { encodeMask } from './geometry/mask-region.ts'
import { parseResponse } from './parse/parsed-response.ts'
import type { RewardResult } from './reward.ts'
import type { Truth } from './truth.ts'

const draw = (...boxes: readonly object[]): ReturnType<typeof parseResponse> => parseResponse(JSON.stringify(boxes))
const box = (...bbox: readonly number[]): object => ({ bbox_2d: bbox })
const scoreOf = (result: RewardResult): number => ('score' in result ? result.score : NaN)
/** 10 by 10 pixels, inside are columns 2 to 5 of rows 2 to 5: 16 pixels. */
const mask = { width: 10, height: 10, rle: [22, 4, 6, 4, 6, 4, 6, 4, 44] }

describe('maskIou', () => {
  test.for([
    { name: 'the mask itself', corners: [2, 2, 6, 6], want: 1 },
    { name: 'half of it', corners: [2, 2, 4, 6], want: 0.5 },
    { name: 'the whole image', corners: [0, 0, 10, 10], want: 0.16 },
    { name: 'a box beyond the image', corners: [-5, -5, 100, 100], want: 0.16 },
    { name: 'pixel centres: just short of one', corners: [2, 2, 5.5, 6], want: 0.75 },
    { name: 'pixel centres: just past one', corners: [2, 2, 5.51, 6], want: 1 },
    { name: 'a degenerate box', corners: [3, 3, 3, 5], want: 0 },
    { name: 'a box outside', corners: [20, 20, 30, 30], want: 0 },
  ])('$name gives $want', ({ corners, want }) => {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = corners
    expect(maskIou({ x1, y1, x2, y2 }, encodeMask(mask))).toBeCloseTo(want, 12)
  })
})

describe('iou', () => {
  const trueBox = { x1: 0, y1: 0, x2: 10, y2: 10 }
  test.for<{ name: string; boxes: readonly object[]; truth: Partial<Truth>; want: number }>([
    { name: 'takes the best box', boxes: [box(0, 0, 1, 1), box(2, 2, 6, 6)], truth: { mask }, want: 1 },
    { name: 'pays nothing for no box', boxes: [], truth: { mask }, want: 0 },
    { name: 'prefers the mask to a box', boxes: [box(2, 2, 6, 6)], truth: { mask, boxes: [trueBox] }, want: 1 },
    {
      name: 'uses a box where the mask is empty',
      boxes: [box(0, 0, 5, 10)],
      truth: { mask: { ...mask, rle: [100] }, boxes: [trueBox] },
      want: 0.5,
    },
    {
      name: 'takes the best true box',
      boxes: [box(20, 0, 30, 10)],
      truth: { boxes: [trueBox, { x1: 20, y1: 0, x2: 30, y2: 10 }] },
      want: 1,
    },
    {
      name: 'clips to the image',
      boxes: [box(-90, 0, 5, 10)],
      truth: { boxes: [trueBox], image: { width: 10, height: 10 } },
      want: 0.5,
    },
    {
      name: 'scales from the image to the mask',
      boxes: [box(4, 8, 12, 24)],
      truth: { mask, image: { width: 20, height: 40 } },
      want: 1,
    },
    {
      name: 'looks at the right image',
      boxes: [{ ...box(2, 2, 6, 6), image: 1 }],
      truth: { mask: [undefined, mask] },
      want: 1,
    },
    { name: 'pays nothing on another image', boxes: [{ ...box(2, 2, 6, 6), image: 7 }], truth: { mask }, want: 0 },
    {
      name: 'looks at true boxes of the right image',
      boxes: [{ ...box(0, 0, 10, 10), image: 2 }],
      truth: { boxes: [{ ...trueBox, image: 2 }] },
      want: 1,
    },
  ])('$name', ({ boxes, truth, want }) => {
    expect(scoreOf(iou(draw(...boxes), { answer: [], ...truth }))).toBeCloseTo(want, 12)
  })

  test.for<{ name: string; truth: Partial<Truth> }>([
    { name: 'nothing', truth: {} },
    { name: 'an empty mask', truth: { mask: { ...mask, rle: [100] } } },
    { name: 'a box without an area', truth: { boxes: [{ x1: 0, y1: 0, x2: 0, y2: 0 }] } },
  ])('does not apply to $name', ({ truth }) => {
    expect(iou(draw(box(0, 0, 1, 1)), { answer: [], ...truth })).toEqual({ notApplicable: 'no spatial truth' })
  })

  test('takes the mean on demand', () => {
    const result = createIou({ over: 'mean' })(draw(box(2, 2, 6, 6), box(9, 9, 10, 10)), { answer: [], mask })
    expect(scoreOf(result)).toBeCloseTo(0.5, 12)
  })
})

describe('box', () => {
  test('converts corner and size', () => {
    expect(boxFromXywh({ x: 1, y: 2, width: 3, height: -1 })).toEqual({ x1: 1, y1: 1, x2: 4, y2: 2 })
  })

  test('clips, and an infinite union gives 0', () => {
    const huge = { x1: -1e200, y1: -1e200, x2: 1e200, y2: 1e200 }
    expect(clipBox(huge, { width: 4, height: 3 })).toEqual({ x1: 0, y1: 0, x2: 4, y2: 3 })
    expect(boxIou(huge, huge)).toBe(0)
  })
})
