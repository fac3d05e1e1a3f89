import { afterAll, describe, expect, test } from 'vitest'
import { createServer } from '../create-server.ts'
import { defaultLimits } from '../limits.ts'
import { fakePolicy } from '../fake-policy.testing.ts'
import { createWorkPool } from './work-pool.ts'
import { smallCt } from '../small-ct.testing.ts'

const policy = () => fakePolicy({ words: ['<think>x</think>\\boxed{A}'] })
const here = createServer({ policy: policy() })
const threaded = createServer({ policy: policy(), threads: 1 })
afterAll(async () => {
  await here.close()
  await threaded.close()
})

const scan = Buffer.from(smallCt).toString('base64')

describe('work in threads', () => {
  test.for<[string, string, object]>([
    ['a view', '/v1/view', { files: [{ data: scan }] }],
    [
      'an ECG',
      '/v1/view',
      {
        files: [
          { name: 'r.hea', data: Buffer.from('r 1 500 2\nr.dat 16 1000 16 0 0 0 0 I\n').toString('base64') },
          { name: 'r.dat', data: 'AAABAA==' },
        ],
      },
    ],
    ['a refused file', '/v1/view', { files: [{ name: 'a.dcm', data: 'AAAA' }] }],
    ['rewards', '/v1/rewards', { rows: [{ id: 'a', response: '<think>x</think>\\boxed{A}', answer: ['A'] }] }],
    ['a refused row', '/v1/rewards', { rows: [{ response: 5 }] }],
    ['advantages', '/v1/advantages', { estimator: 'grpo', rewards: [0, 1], questionIds: [0, 0], domains: ['a', 'a'] }],
    ['refused advantages', '/v1/advantages', { estimator: 'nothing', rewards: [0], questionIds: [0], domains: ['a'] }],
  ])('%s is the same as by the thread that serves', async ([, url, payload]) => {
    const [want, got] = await Promise.all(
      [here, threaded].map(async app => app.inject({ method: 'POST', url, payload })),
    )
    expect([got!.statusCode, got!.json()]).toEqual([want!.statusCode, want!.json()])
  })

  test.for<[string, string, object]>([
    ['a view', '/v1/view', { files: [{ data: scan }], window: ' '.repeat(2 ** 19) }],
    ['too many files', '/v1/diagnose', { files: Array.from({ length: 50_000 }, () => ({ data: 'AAAA' })) }],
    ['too many messages', '/v1/chat/completions', { messages: Array.from({ length: 50_000 }, () => ({})) }],
    [
      'a long ECG',
      '/v1/chat/completions',
      {
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'input_ecg',
                input_ecg: { fs: 500, units: 'mV', leads: { I: Array.from({ length: 300_000 }, () => 0) } },
              },
            ],
          },
        ],
      },
    ],
    ['a long text', '/v1/chat/completions', { messages: [{ role: 'user', content: 'word '.repeat(90_000) }], seed: 1 }],
  ])('a large body of %s is parsed there, and ends as by the thread that serves', async ([, url, payload]) => {
    const [want, got] = await Promise.all(
      [here, threaded].map(async app => app.inject({ method: 'POST', url, payload })),
    )
    const choices = (response: typeof want) => response?.json().choices ?? response?.json()
    expect([got!.statusCode, choices(got)]).toEqual([want!.statusCode, choices(want)])
  })

  test('a file that takes more memory than a thread may have ends the thread, not the server', async () => {
    const pool = createWorkPool({ threads: 1, heapMb: 64 })
    const rows = Array.from({ length: 150_000 }, (_, i) => ({ id: String(i), response: 'a', answer: ['A'] }))
    const bytes = new TextEncoder().encode(JSON.stringify({ rows }))
    const limits = { ...defaultLimits, rows: rows.length }
    await expect(pool.works.rewards({ bytes, limits })).rejects.toMatchObject({
      code: 'SERVER_WORK_TOO_LARGE',
      status: 413,
    })
    await pool.close()
  })
})
