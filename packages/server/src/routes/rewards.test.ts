import { describe, expect, test } from 'vitest'
import { createServer, type ServerOptions } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'

async function post(payload: object, limits: ServerOptions['limits'] = {}) {
  const app = createServer({ policy: fakePolicy(), limits })
  const response = await app.inject({ method: 'POST', url: '/v1/rewards', payload })
  return { status: response.statusCode, body: response.json() }
}

const right = { id: 1, response: '<think>Lungs are wet.</think> \\boxed{Edema}', answer: ['Edema'], modality: 'ecg' }
const wrong = { ...right, id: 'b', response: '<think>Lungs are dry.</think> \\boxed{Normal}' }

describe('POST /v1/rewards', () => {
  test('scores rows with the weights of the paper', async () => {
    const { status, body } = await post({ rows: [right, wrong] })
    expect(status).toBe(200)
    // Without boxes accuracy .6 and format .2 apply: .8 / .8, and .2 / .8.
    expect(body.rows).toMatchObject([
      { id: 1, score: 1, parts: { accuracy: 1, format: 1 }, parsed: { labels: ['Edema'] } },
      { id: 'b', score: 0.25, parts: { accuracy: 0, format: 1 }, parsed: { labels: ['Normal'] } },
    ])
  })

  test('takes weights instead', async () => {
    const { body } = await post({ rows: [wrong], weights: { accuracy: 1, format: 3 } })
    expect(body.rows[0].score).toBeCloseTo(0.75, 12)
  })

  test('reads boxes in the form that is asked for', async () => {
    const response = '<think>x</think> ```json\n[{"bbox_2d":[10,10,20,20]}]\n``` \\boxed{A}'
    const row = { id: 1, response, answer: ['A'], boxes: [[10, 10, 30, 30]], image: { width: 64, height: 64 } }
    const scores = await Promise.all(
      ['xyxy', 'xywh'].map(async box_format => (await post({ rows: [row], box_format })).body.rows[0].parts.iou),
    )
    expect(scores).toEqual([0.25, 1]) // 10 × 10 of 20 × 20 pixels, and all of them
  })

  test.for([
    { name: 'no rows', payload: { rows: [] }, code: 'SERVER_REQUEST_INVALID', says: 'rows' },
    {
      name: 'a row without a response',
      payload: { rows: [right, { id: 2 }] },
      code: 'REWARDS_ROW_INVALID',
      says: 'Row 1',
    },
    {
      name: 'a mask by path',
      payload: { rows: [{ ...right, mask: '/etc/passwd' }] },
      code: 'REWARDS_ROW_INVALID',
      says: 'mask',
    },
    {
      name: 'an unknown preset',
      payload: { rows: [right], preset: 'papre' },
      code: 'REWARDS_UNKNOWN_PRESET',
      says: 'There is no preset named (withheld); there are paper, release.',
    },
    {
      name: 'an unknown reward',
      payload: { rows: [right], weights: { luck: 1 } },
      code: 'REWARDS_UNKNOWN_REWARD',
      says: 'no reward named (withheld)',
    },
    {
      name: 'a reward by path',
      payload: { rows: [right], weights: { mine: { weight: 1, path: '/tmp/mine.ts' } } },
      code: 'SERVER_REQUEST_INVALID',
      says: 'weights.(withheld) must be a number',
    },
    {
      name: 'preset and weights',
      payload: { rows: [right], preset: 'paper', weights: { accuracy: 1 } },
      code: 'SERVER_REQUEST_INVALID',
      says: 'exclude',
    },
  ])('refuses $name', async ({ payload, code, says }) => {
    const { status, body } = await post(payload)
    expect({ status, ...body.error }).toMatchObject({ status: 400, code, message: expect.stringContaining(says) })
  })

  test('refuses too many rows', async () => {
    const { body } = await post({ rows: [right, right, right] }, { rows: 2 })
    expect(body.error.code).toBe('SERVER_LIMIT_EXCEEDED')
  })
})
