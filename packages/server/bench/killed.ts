// Says how long after its client went away the room of an answer is free again:
//   qoq serve --model DIR --port 8080 &
//   node packages/server/bench/killed.ts http://127.0.0.1:8080 --times 40
// A client asks for eight long answers as a stream, goes when the first words came, and GET /health/ready is asked until it counts none of them.
import { parseArgs } from 'node:util'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'string', default: '40' } },
})
const url = positionals[0] ?? 'http://127.0.0.1:8080'
const answers = 8

async function running(): Promise<number> {
  return JSON.parse(await (await fetch(`${url}/health/ready`)).text()).runningAnswers
}

/** @returns milliseconds; nothing where the answers were over before the client went */
async function freedAfter(): Promise<number | undefined> {
  const client = new AbortController()
  const messages = [{ role: 'user', content: 'Describe all that you see.' }]
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages, n: answers, max_tokens: 512, stream: true }),
    signal: client.signal,
  })
  await response.body?.getReader().read()
  if ((await running()) === 0) return undefined
  const began = performance.now()
  client.abort()
  while ((await running()) > 0) if (performance.now() - began > 60_000) throw new Error('The room was not given back.')
  return performance.now() - began
}

const all: number[] = []
let over = 0
while (all.length < Number(values.times) && over < 1000) {
  const ms = await freedAfter()
  if (ms === undefined) over++
  else all.push(ms)
}
const sorted = all.toSorted((a, b) => a - b)
const round = (ms: number | undefined): number => Math.round((ms ?? Number.NaN) * 10) / 10
console.log(
  JSON.stringify({
    times: all.length,
    medianMs: round(sorted[sorted.length >> 1]),
    mostMs: round(sorted.at(-1)),
    over,
  }),
)
process.exitCode = (sorted.at(-1) ?? Infinity) <= 250 ? 0 : 1
