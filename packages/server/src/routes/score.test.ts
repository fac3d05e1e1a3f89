import { describe, expect, test } from 'vitest'
import type { Policy } from '@qoq-med/model'
import { createServer } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'

/** A policy whose tokens are characters, each as likely as its code is small. */
function scoringPolicy(): Policy {
  return {
    ...fakePolicy(),
    logprobs: async rows => rows.map(({ completion }) => Float32Array.from(completion, token => -token / 100)),
  }
}

const messages = [{ role: 'user', content: 'Which?' }]

function post(payload: object, policy: Policy = scoringPolicy()) {
  return createServer({ policy }).inject({ method: 'POST', url: '/v1/score', payload })
}

describe('POST /v1/score', () => {
  test('gives every token of every completion with its log-probability', async () => {
    const response = await post({ messages, completions: ['ab', 'c'] })
    expect(response.statusCode).toBe(200)
    expect(response.json()).toMatchObject({
      object: 'score',
      scores: [
        { index: 0, token_ids: [97, 98], logprobs: [expect.closeTo(-0.97, 6), expect.closeTo(-0.98, 6)] },
        { index: 1, token_ids: [99], logprobs: [expect.closeTo(-0.99, 6)] },
      ],
      notice: expect.stringContaining('Research use only'),
    })
  })

  test.for<[string, object, string]>([
    ['nothing to score', { messages, completions: [] }, 'SERVER_REQUEST_INVALID'],
    ['an empty completion', { messages, completions: [''] }, 'SERVER_REQUEST_INVALID'],
    ['another model', { messages, completions: ['a'], model: 'other' }, 'SERVER_MODEL_UNKNOWN'],
    ['too many completions', { messages, completions: Array(257).fill('a') }, 'SERVER_LIMIT_EXCEEDED'],
  ])('refuses %s', async ([, payload, code]) => {
    const response = await post(payload)
    expect(response.statusCode).toBeGreaterThanOrEqual(400)
    expect(response.statusCode).toBeLessThan(500)
    expect(response.json().error.code).toBe(code)
  })

  test('a policy without log-probabilities says so', async () => {
    const response = await post({ messages, completions: ['a'] }, fakePolicy())
    expect([response.statusCode, response.json().error.code]).toEqual([400, 'SERVER_SCORE_UNSUPPORTED'])
  })
})
