import { afterAll, describe, expect, test } from 'vitest'
import { createServer } from '../create-server.ts'
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

  test('a file that takes more memory than a thread may have ends the thread, not the server', async () => {
    const pool = createWorkPool({ threads: 1, heapMb: 64 })
    const rows = Array.from({ length: 150_000 }, (_, i) => ({ id: String(i), response: 'a', answer: ['A'] }))
    await expect(pool.works.rewards({ rows })).rejects.toMatchObject({ code: 'SERVER_WORK_TOO_LARGE', status: 413 })
    await pool.close()
  })
})
