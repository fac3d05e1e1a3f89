import { estimateAdvantages } from '@qoq-med/core-drpo'
import { describe, expect, test } from 'vitest'
import { createServer, type ServerOptions } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'

async function post(payload: object, limits: ServerOptions['limits'] = {}) {
  const app = createServer({ policy: fakePolicy(), limits })
  const response = await app.inject({ method: 'POST', url: '/v1/advantages', payload })
  return { status: response.statusCode, body: response.json() }
}

const batch = { rewards: [1, 0, 0.5, 1], questionIds: [1, 1, 'b', 'b'], domains: ['ecg', 'ecg', 'mri', 'mri'] }

describe('POST /v1/advantages', () => {
  test('centres and scales each question (eq. 1)', async () => {
    const { status, body } = await post({ estimator: 'grpo', ...batch })
    expect(status).toBe(200)
    // Two rewards lie half a difference from their mean, and 1/√2 of it is their sample deviation: ±1/√2.
    const half = Math.SQRT1_2
    for (const [index, want] of [half, -half, -half, half].entries())
      expect(body.advantages[index]).toBeCloseTo(want, 4)
    expect(body).not.toHaveProperty('stages')
  })

  test('gives stages and takes options as core-drpo does', async () => {
    const kl = [0.1, 0.2, 0.3, 0.4]
    const options = { epsilon: 0.001 }
    const { body } = await post({ estimator: 'drpo', options, stages: true, ...batch, kl })
    const { advantages, stages } = estimateAdvantages('drpo', { ...batch, kl }, options)
    expect(body.advantages).toEqual(Array.from(advantages as Float64Array)) // drpo answers one number per response
    expect(Object.keys(body.stages)).toEqual(Object.keys(stages as object)) // and an object of stages
  })

  test('answers one list per response where tokens differ', async () => {
    const { body } = await post({ estimator: 'reinforce++', ...batch, kl: [0, 0, 0, 0], lengths: [1, 2, 3, 1] })
    expect(body.advantages.map((row: number[]) => row.length)).toEqual([1, 2, 3, 1])
  })

  test('takes a reward for every token', async () => {
    const tokens = { lengths: [1, 2, 1, 1], tokenRewards: [[1], [0.5, -0.5], [0], [0]] }
    const { body } = await post({ estimator: 'reinforce++', options: { whiten: false }, ...batch, ...tokens })
    // The return of a token is the sum of what follows it.
    expect(body.advantages).toEqual([[1], [0, -0.5], [0], [0]])
  })

  test('takes the demographic groups of patients', async () => {
    const demographics = ['F,A2', 'F,A2', 'M,A3', 'M,A3']
    const { body } = await post({ estimator: 'fair-grpo', ...batch, demographics })
    const { advantages } = estimateAdvantages('fair-grpo', { ...batch, demographics })
    expect(body.advantages).toEqual(Array.from(advantages as Float64Array)) // one number per response
  })

  test.for(['demographics', 'tokenRewards'])('%s are counted before they are validated', async field => {
    const long = Array.from({ length: 50 }, () => (field === 'tokenRewards' ? [0, 0] : 'F'))
    const { status, body } = await post({ estimator: 'grpo', ...batch, [field]: long }, { rows: 40 })
    expect([status, body.error.code]).toEqual([400, 'SERVER_LIMIT_EXCEEDED'])
  })

  test('tokens of rewards are counted, too', async () => {
    const { body } = await post({ estimator: 'grpo', ...batch, tokenRewards: [[0, 0, 0]] }, { tokens: 2 })
    expect(body.error.code).toBe('SERVER_LIMIT_EXCEEDED')
  })

  test.for([
    { name: 'an unknown estimator', payload: { estimator: 'dpro', ...batch }, code: 'DRPO_UNKNOWN_ESTIMATOR' },
    {
      name: 'an unknown option',
      payload: { estimator: 'drpo', ...batch, options: { luck: 1 } },
      code: 'DRPO_UNKNOWN_OPTION',
    },
    {
      name: 'lists of two lengths',
      payload: { estimator: 'drpo', ...batch, domains: ['ecg'] },
      code: 'DRPO_LENGTH_MISMATCH',
    },
    {
      name: 'a text among numbers',
      payload: { estimator: 'drpo', ...batch, rewards: ['high', 0, 0, 0] },
      code: 'DRPO_FIELD_INVALID',
    },
    { name: 'a misspelt field', payload: { estimator: 'drpo', ...batch, reward: [] }, code: 'DRPO_FIELD_UNKNOWN' },
    {
      name: 'lengths that claim too much memory',
      payload: { estimator: 'reinforce++', ...batch, kl: [0, 0, 0, 0], lengths: [1, 1, 1, 1e12] },
      code: 'SERVER_LIMIT_EXCEEDED',
    },
  ])('refuses $name', async ({ payload, code }) => {
    const { status, body } = await post(payload)
    expect({ status, code: body.error.code }).toEqual({ status: 400, code })
    expect(body.error.hint).toMatch(/\w/)
  })

  test('refuses too many responses', async () => {
    const { body } = await post({ estimator: 'drpo', ...batch }, { rows: 3 })
    expect(body.error.code).toBe('SERVER_LIMIT_EXCEEDED')
  })
})
