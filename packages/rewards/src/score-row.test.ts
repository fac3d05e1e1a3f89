import { describe, expect, test } from 'vitest'
import { combine } from './combine.ts'
import { presets } from './presets.ts'
import type { AsyncReward } from './reward.ts'
import { scoreRow, scoreRows } from './score-row.ts'

const response =
  '<think>a</think>\n```json\n[{"bbox_2d": [2, 2, 4, 6], "label": "Edema"}, 7]\n```\n\\boxed{edema and Mass}'
const row = {
  id: 'study-1',
  response,
  answer: ['Edema'],
  labels: ['Edema', 'Mass'],
  image: { width: 10, height: 10 },
  mask: { width: 10, height: 10, rle: [22, 4, 6, 4, 6, 4, 6, 4, 44] },
  modality: 'chest_xray',
}
const composite = combine(presets.paper)
const mine: AsyncReward = ({ labels }) => Promise.resolve({ score: labels.length === 2 ? 1 : NaN })

describe('scoreRow', () => {
  test('answers the contract', () => {
    expect(scoreRow(row, composite)).toEqual({
      id: 'study-1',
      score: expect.closeTo(0.6 * (2 / 3) + 0.2 * 0.5, 12),
      parts: { accuracy: 2 / 3, iou: 0.5, format: 0 },
      parsed: {
        labels: ['Edema', 'Mass'],
        boxes: [[2, 2, 4, 6]],
        problems: [{ type: 'entry-unreadable', block: 0, entry: 1 }],
      },
    })
  })

  test('leaves a reward out that does not apply', () => {
    expect(scoreRow({ id: 1, response: '\\boxed{Edema}', answer: ['Edema'], mask: null }, composite).parts).toEqual({
      accuracy: 1,
      format: 0,
    })
  })

  test.for([
    {
      name: 'pixels as a mask',
      extra: { mask: { width: 2, height: 2, data: new Uint8Array([1, 1, 0, 0]) }, image: undefined },
    },
    { name: 'boxes in any order of corners', extra: { mask: undefined, boxes: [[4, 6, 2, 2]] } },
    { name: 'aliases', extra: { aliases: { Edema: ['oedema'] } } },
    { name: 'a list of modalities', extra: { modality: ['image', 'text'] } },
  ])('takes $name', ({ extra }) => {
    expect(scoreRow({ ...row, ...extra }, composite).parts['accuracy']).toBe(2 / 3)
  })

  test('reads corner and size on demand', () => {
    expect(scoreRow(row, composite, { format: 'xywh' }).parsed.boxes).toEqual([[2, 2, 6, 8]])
  })

  test.for([
    { extra: { id: undefined }, field: 'id', found: 'missing' },
    { extra: { response: 1 }, field: 'response', found: 'a number' },
    { extra: { answer: 'Edema' }, field: 'answer', found: 'a string' },
    { extra: { answer: [1] }, field: 'answer', found: 'a list' },
    { extra: { labels: {} }, field: 'labels', found: 'a object' },
    { extra: { aliases: [] }, field: 'aliases', found: 'a list' },
    { extra: { aliases: { Edema: 1 } }, field: 'aliases.Edema', found: 'a number' },
    { extra: { image: [10, 10] }, field: 'image', found: 'a number' },
    { extra: { answerMode: 'either' }, field: 'answerMode', found: 'a string' },
    { extra: { negativeLabels: 'Normal' }, field: 'negativeLabels', found: 'a string' },
    { extra: { views: {} }, field: 'views', found: 'a object' },
    {
      extra: { views: [{ image: 0, from: -1, transform: [1, 0, 0, 0, 1, 0] }] },
      field: 'views[0].from',
      found: 'a number',
    },
    { extra: { views: [{ image: 0, from: 1, transform: [1, 0] }] }, field: 'views[0].transform', found: 'a list' },
    { extra: { boxes: [[1, 2, 3, 4, -1]] }, field: 'boxes[0]', found: 'a list' },
    { extra: { mask: [{ width: 1, height: 1 }] }, field: 'mask.rle', found: 'missing' },
    { extra: { image: { width: 0, height: 1 } }, field: 'image.width', found: 'a number' },
    { extra: { boxes: {} }, field: 'boxes', found: 'a object' },
    { extra: { boxes: [[1, 2, 3]] }, field: 'boxes[0]', found: 'a list' },
    { extra: { boxes: [[1, 2, 3, Infinity]] }, field: 'boxes[0]', found: 'a list' },
    { extra: { mask: 'mask.png' }, field: 'mask', found: 'a string' },
    { extra: { mask: { height: 1, rle: [] } }, field: 'mask.width', found: 'missing' },
    { extra: { mask: { width: 1, rle: [] } }, field: 'mask.height', found: 'missing' },
    { extra: { mask: { width: 1, height: 1 } }, field: 'mask.rle', found: 'missing' },
    { extra: { modality: 3 }, field: 'modality', found: 'a number' },
  ])('refuses $field: $found', ({ extra, field, found }) => {
    expect(() => scoreRow({ ...row, ...extra }, composite)).toThrow(
      expect.objectContaining({
        code: 'REWARDS_ROW_INVALID',
        message: expect.stringMatching(new RegExp(`field ${field.replace('[', '\\[')} .* is ${found}`)),
      }),
    )
  })

  test.for([[null], [[]], ['text']])('refuses %j', ([value]) => {
    expect(() => scoreRow(value, composite)).toThrow(expect.objectContaining({ code: 'REWARDS_ROW_INVALID' }))
  })
})

const square = (x: number): object => ({
  width: 10,
  height: 10,
  rle: [20 + x, ...Array.from({ length: 3 }, () => [4, 6]).flat(), 4, 80 - 34 - x],
})
const boxes = (...entries: readonly object[]): string =>
  `<think>a</think>\n\`\`\`json\n${JSON.stringify(entries)}\n\`\`\`\n\\boxed{Mass}`

describe('scoreRow on several images', () => {
  const views = {
    ...row,
    answer: ['Mass'],
    image: [
      { width: 10, height: 10 },
      { width: 20, height: 20 },
    ],
  }

  test('takes one mask per image, each in the size of its own image', () => {
    const two = { ...views, mask: [null, square(4)] }
    const hit = { bbox_2d: [8, 4, 16, 12], label: 'Mass', image: 1 } // columns 4-7 and rows 2-5 at half the size
    expect(scoreRow({ ...two, response: boxes(hit) }, composite).parts['iou']).toBe(1)
    expect(scoreRow({ ...two, response: boxes({ ...hit, image: 0 }) }, composite).parts['iou']).toBe(0)
  })

  test('takes true boxes of a later image', () => {
    const two = { ...views, mask: undefined, boxes: [[8, 4, 16, 12, 1]] }
    expect(scoreRow({ ...two, response: boxes({ bbox_2d: [8, 4, 16, 12], image: 1 }) }, composite).parts['iou']).toBe(1)
    expect(scoreRow({ ...two, response: boxes({ bbox_2d: [8, 4, 10, 10] }) }, composite).parts['iou']).toBe(0)
  })

  test('takes the views of eq. 7', () => {
    const linked = { ...views, mask: undefined, views: [{ image: 1, from: 0, transform: [2, 0, 0, 0, 2, 0] }] }
    const [here, there] = [
      { bbox_2d: [1, 1, 4, 4], label: 'Mass' },
      { bbox_2d: [2, 2, 8, 5], label: 'Mass', image: 1 },
    ]
    const scored = scoreRow({ ...linked, response: boxes(here, there) }, combine({ coherence: 1 }))
    expect(scored.parts['coherence']).toBe(0.5) // [2, 2, 8, 8] against [2, 2, 8, 5]
  })
})

describe('scoreRows', () => {
  test('scores rows with asynchronous rewards and shows failures', async () => {
    const both = combine<AsyncReward>({ accuracy: 1, mine: { weight: 1, reward: mine } })
    const [first, second] = await scoreRows([row, { ...row, id: 2, response: '\\boxed{Edema}' }], both)
    expect(first).toMatchObject({ id: 'study-1', parts: { accuracy: 2 / 3, mine: 1 } })
    expect(first).not.toHaveProperty('failures')
    expect(second).toMatchObject({ id: 2, score: 0.5, failures: [{ reward: 'mine', code: 'REWARDS_NOT_FINITE' }] })
  })
})
