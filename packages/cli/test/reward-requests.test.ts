import { expect, test } from 'vitest'
import { serveRewards } from '../src/training/serve-rewards.ts'

const [requests, atATime, rowsOfEach] = [1000, 64, 4]

test('a thousand reward requests, 64 at a time, are all answered, each its own', { timeout: 120_000 }, async () => {
  const server = await serveRewards()
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${server.key}` }
  const times: number[] = []
  let next = 0
  const client = async (): Promise<void> => {
    for (let at = next++; at < requests; at = next++) {
      const rows = Array.from({ length: rowsOfEach }, (_, i) => {
        const label = (at + i) % 3 === 0 ? 'Tumor' : 'Normal'
        return {
          id: at * rowsOfEach + i,
          response: `<think>so</think>\\boxed{${label}}`,
          answer: ['Tumor'],
          labels: ['Tumor', 'Normal'],
        }
      })
      const began = performance.now()
      const body = JSON.stringify({ rows, weights: { accuracy: 1 } })
      const answer = await fetch(`${server.url}/v1/rewards`, { method: 'POST', headers, body })
      expect(answer.status).toBe(200)
      const said = (await answer.json()) as { rows: { id: number; score: number }[] } // the route's answer
      times.push(performance.now() - began)
      expect(said.rows.map(({ id, score }) => [id, score])).toEqual(
        rows.map(({ id }, i) => [id, (at + i) % 3 === 0 ? 1 : 0]),
      )
    }
  }
  await Promise.all(Array.from({ length: atATime }, client))
  await server.close()
  const p99 = times.toSorted((a, b) => a - b)[Math.ceil(0.99 * requests) - 1]!
  console.log(`${times.length} requests, none lost, p99 ${p99.toFixed(0)} ms`)
  expect(times).toHaveLength(requests)
})

test('a server of rewards answers no one without its key, and starts again where it was with it', async () => {
  const first = await serveRewards()
  const ask = (key?: string): Promise<Response> =>
    fetch(`${first.url}/v1/advantages`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        connection: 'close',
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({ estimator: 'grpo', rewards: [0, 1], questionIds: [0, 0], domains: ['a', 'a'] }),
    })
  expect([(await ask()).status, (await ask(`${first.key}x`)).status, (await ask(first.key)).status]).toEqual([
    401, 401, 200,
  ])
  await first.close()
  const again = await serveRewards({ port: Number(new URL(first.url).port), key: first.key })
  expect([again.url, (await ask(first.key)).status]).toEqual([first.url, 200])
  await again.close()
})
