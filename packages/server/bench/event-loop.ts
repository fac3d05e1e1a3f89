// Says how long each route holds the thread that serves up at its limits:
//   qoq serve --model DIR --port 8080 &
//   node packages/server/bench/event-loop.ts http://127.0.0.1:8080 [--only rewards,advantages] [--rounds 3]
// Before and after every request GET /metrics is asked, which tells the longest delay of the event loop in between
// (`nodejs_eventloop_lag_max_seconds`). Nothing else may use the server or, for figures, the machine.
import { randomFillSync } from 'node:crypto'
import { parseArgs } from 'node:util'
import { encodeDicom } from '@qoq-med/data-climb'
import sharp from 'sharp'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, rounds: { type: 'string', default: '3' } },
})
const url = positionals[0] ?? 'http://127.0.0.1:8080'
const wantedMs = 50

const many = <Value>(count: number, value: (i: number) => Value): Value[] =>
  Array.from({ length: count }, (_, i) => value(i))
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const chat = (content: unknown): object => ({ messages: [{ role: 'user', content }], max_tokens: 1 })

/** A CT slice of noise: 11 megapixels in 22 MB, which is what a body in JSON may hold. */
function largeScan(): string {
  const side = 3300
  const pixels = randomFillSync(new Uint16Array(side * side)).map(value => value & 0xfff)
  return base64(
    encodeDicom({ rows: side, columns: side, pixels, bitsStored: 12, modality: 'CT', sopInstanceUid: '1.2.3' }),
  )
}

/** A picture of 49 megapixels, whose file is small. */
async function largePicture(): Promise<string> {
  const side = 7000
  const create = { width: side, height: side, channels: 3, background: '#777' } as const
  return `data:image/png;base64,${base64(await sharp({ create }).png().toBuffer())}`
}

function ecg(): object {
  const names = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6']
  const leads = Object.fromEntries(
    names.map(name => [name, many(15_000, i => Math.round(1e4 * Math.sin(i / 9)) / 1e4)]),
  )
  return { fs: 500, units: 'mV', leads } // 30 s
}

const picture = await largePicture()
const text = 'The lungs are clear and the heart is of normal size. '

/** Bodies of POST routes at their limits; made when they are sent. */
const bodies: Readonly<Record<string, readonly [path: string, body: () => object]>> = {
  'chat-text': ['/v1/chat/completions', () => chat(text.repeat(9400))],
  'chat-messages': [
    '/v1/chat/completions',
    () => ({ messages: many(1000, () => ({ role: 'user', content: text })), max_tokens: 1 }),
  ],
  'chat-picture': ['/v1/chat/completions', () => chat([{ type: 'image_url', image_url: picture }])],
  'chat-ecg': ['/v1/chat/completions', () => chat([{ type: 'input_ecg', input_ecg: ecg() }])],
  'chat-brackets': ['/v1/chat/completions', () => chat(many(2 ** 20 - 3, () => []))],
  'diagnose-picture': ['/v1/diagnose', () => ({ files: [{ data: picture }], labels: ['A', 'B'], max_tokens: 32 })],
  'diagnose-scan': ['/v1/diagnose', () => ({ files: [{ data: largeScan() }], labels: ['A', 'B'], max_tokens: 32 })],
  'diagnose-ecg': ['/v1/diagnose', () => ({ ecgs: [ecg()], labels: ['A', 'B'], max_tokens: 32 })],
  'view-scan': ['/v1/view', () => ({ files: [{ data: largeScan() }] })],
  'view-picture': ['/v1/view', () => ({ files: [{ data: picture }] })],
  'score-text': [
    '/v1/score',
    () => ({ messages: [{ role: 'user', content: text }], completions: many(256, () => text) }),
  ],
  rewards: [
    '/v1/rewards',
    () => ({
      rows: many(4096, id => ({ id, response: `<think>${text.repeat(290)}</think>\\boxed{A}`, answer: ['A'] })),
    }),
  ],
  advantages: [
    '/v1/advantages',
    () => ({
      estimator: 'drpo',
      rewards: many(4096, i => (i % 7) / 7),
      questionIds: many(4096, i => Math.floor(i / 8)),
      domains: many(4096, i => `domain ${Math.floor(i / 8) % 9}`),
      kl: many(4096, i => (i % 5) / 5),
    }),
  ],
  'advantages-tokens': [
    '/v1/advantages',
    () => ({
      estimator: 'reinforce++',
      rewards: many(4096, i => (i % 7) / 7),
      questionIds: many(4096, i => Math.floor(i / 8)),
      domains: many(4096, () => 'a'),
      kl: many(4096, () => 0),
      lengths: many(4096, () => 480),
      tokenRewards: many(4096, i => many(480, token => ((i + token) % 100) / 100)),
    }),
  ],
}

async function lagMs(): Promise<number> {
  const found = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(await (await fetch(`${url}/metrics`)).text())
  return Math.round(1e4 * Number(found?.[1])) / 10
}

interface Measured {
  readonly route: string
  readonly path: string
  readonly megabytes: number
  readonly status: string
  readonly lagMs: readonly number[]
  readonly seconds: readonly number[]
}

async function measured(name: string): Promise<Measured> {
  const [path, make] = bodies[name]!
  const body = JSON.stringify(make())
  const [lags, seconds] = [[] as number[], [] as number[]]
  let said = ''
  for (let round = 0; round <= Number(values.rounds); round++) {
    await lagMs()
    const began = performance.now()
    const response = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const answer = await response.text()
    const lag = await lagMs()
    said = `${response.status} ${/"code":"(\w+)"/.exec(answer)?.[1] ?? ''}`.trim()
    if (round === 0) continue // code is compiled, threads are started
    lags.push(lag)
    seconds.push(Math.round((performance.now() - began) / 10) / 100)
  }
  return { route: name, path, megabytes: Math.round(body.length / 1e5) / 10, status: said, lagMs: lags, seconds }
}

let isMet = true
for (const name of values.only?.split(',') ?? Object.keys(bodies)) {
  const found = await measured(name)
  isMet &&= Math.max(...found.lagMs) <= wantedMs
  console.log(JSON.stringify(found))
}
process.exitCode = isMet ? 0 : 1
