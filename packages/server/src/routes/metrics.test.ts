import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createServer } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'

const question = { messages: [{ role: 'user', content: 'Which rhythm?' }] }

/** Samples of the text format of Prometheus by name and labels; every other line is a comment. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map(line => {
      const [, name, value] = /^(\w+(?:\{[^{}]*\})?) (\S+)$/.exec(line) ?? []
      expect(value, `line ${line}`).toBeDefined()
      return [name ?? '', Number(value)]
    }),
  )
}

describe('GET /metrics', () => {
  test('counts requests and times by route and status, tokens, and answers being written', async () => {
    const app = createServer({ policy: fakePolicy() })
    for (const payload of [question, question, {}])
      await app.inject({ method: 'POST', url: '/v1/chat/completions', payload })
    await app.inject('/v1/nothing?patient=Meier')
    const response = await app.inject('/metrics')
    expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    const samples = samplesOf(response.body)
    const chat = 'method="POST",route="/v1/chat/completions"'
    expect(samples.get(`qoq_requests_total{${chat},status="200"}`)).toBe(2)
    expect(samples.get(`qoq_requests_total{${chat},status="400"}`)).toBe(1)
    expect(samples.get('qoq_requests_total{method="GET",route="none",status="404"}')).toBe(1)
    expect(samples.get(`qoq_request_seconds_count{${chat},status="200"}`)).toBe(2)
    expect(samples.get(`qoq_request_seconds_bucket{${chat},status="200",le="+Inf"}`)).toBe(2)
    // Three words an answer, one message a question.
    expect(samples.get('qoq_tokens_total{kind="completion"}')).toBe(6)
    expect(samples.get('qoq_tokens_total{kind="prompt"}')).toBe(2)
    expect(samples.get('qoq_running_answers')).toBe(0)
    expect(samples.get('qoq_running_answers_limit')).toBe(64)
    const memory = ['process_resident_memory', 'nodejs_heap_size_used', 'nodejs_external_memory']
    expect(memory.filter(name => !((samples.get(`${name}_bytes`) ?? 0) > 2 ** 20))).toEqual([])
    expect(response.body).not.toContain('Meier')
    await app.close()
  })

  test('says how long nothing else could run since it was asked', async () => {
    const app = createServer({ policy: fakePolicy() })
    const lag = async () =>
      samplesOf((await app.inject('/metrics')).body).get('nodejs_eventloop_lag_max_seconds') ?? Number.NaN
    await lag()
    await sleep(50) // the watch has looked
    const end = performance.now() + 400
    while (performance.now() < end);
    await sleep(50)
    expect(await lag()).toBeGreaterThan(0.3)
    await app.close()
  })

  test('tells queue, batch and cache of a policy that knows them', async () => {
    const load = { waitingAnswers: 3, batchSize: 2, batchLimit: 64, cachedTokens: 70, cacheTokens: 512 }
    const policy = { ...fakePolicy(), load: async () => load }
    const app = createServer({ policy })
    const samples = samplesOf((await app.inject('/metrics')).body)
    const names = ['waiting_answers', 'batch_size', 'batch_size_limit', 'kv_cache_tokens', 'kv_cache_tokens_capacity']
    expect(names.map(name => samples.get(`qoq_${name}`))).toEqual(Object.values(load))
    await app.close()
  })

  test('tells what it counted also of a policy that has ended', async () => {
    const policy = { ...fakePolicy(), load: async () => Promise.reject(new Error('ended')) }
    const app = createServer({ policy })
    const response = await app.inject('/metrics')
    expect(response.statusCode).toBe(200)
    const names = [...samplesOf(response.body).keys()]
    expect(names).toContain('qoq_running_answers')
    expect(names).not.toContain('qoq_batch_size')
    await app.close()
  })

  test('buckets count what was at most as long', async () => {
    const app = createServer({ policy: fakePolicy() })
    await app.inject({ method: 'POST', url: '/v1/chat/completions', payload: question })
    const samples = samplesOf((await app.inject('/metrics')).body)
    const buckets = [...samples].filter(([name]) => name.startsWith('qoq_request_seconds_bucket'))
    const counts = buckets.map(([, count]) => count)
    expect(counts.length).toBeGreaterThan(8)
    expect(counts).toEqual(counts.toSorted((a, b) => a - b))
    expect(counts.at(-1)).toBe(1)
    await app.close()
  })
})
