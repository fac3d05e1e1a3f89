// Opens connections that stall, and says what others notice of it:
//   qoq serve --model DIR --port 8080 &
//   node packages/server/bench/stalled.ts http://127.0.0.1:8080 --sockets 1000 --seconds 20 --clients 2
// A third of them stops in a header, a third in a body, a third asks for a stream and never reads it (those answers fit into the buffers of
// the system: what does not is ended after a while, as stalled-connections.test.ts shows). Healthy clients ask for 16 tokens, one request after
// the other, before and during. `closedBy` says how the stalled ones ended, where --wait gives them the time.
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    sockets: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    clients: { type: 'string', default: '2' },
    wait: { type: 'string', default: '0' },
  },
})
const url = new URL(positionals[0] ?? 'http://127.0.0.1:8080')
const question = { messages: [{ role: 'user', content: 'Which label fits?' }], max_tokens: 16 }
const head = (path: string): string => `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`
const stream = JSON.stringify({ ...question, stream: true })
const kinds: readonly { readonly name: string; readonly text: string }[] = [
  { name: 'header', text: head('/v1/rewards') },
  { name: 'body', text: `${head('/v1/rewards')}content-length: 1000\r\n\r\n{"rows": [` },
  { name: 'unread', text: `${head('/v1/chat/completions')}content-length: ${stream.length}\r\n\r\n${stream}` },
]
const closedBy = new Map<string, number>()

async function stalled({ name, text }: (typeof kinds)[number]): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname)
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  const note = (how: string): void => void closedBy.set(`${name}: ${how}`, (closedBy.get(`${name}: ${how}`) ?? 0) + 1)
  socket.on('error', () => {})
  if (name === 'unread') socket.pause()
  else socket.once('data', bytes => note(/^HTTP\/1.1 (\d+)/.exec(bytes.toString())?.[1] ?? 'closed'))
  socket.write(text)
  return socket
}

/** @returns milliseconds of each request that was answered, and how many were not */
async function healthy(seconds: number): Promise<{ readonly ms: number[]; readonly failed: number }> {
  const [ms, endsAt] = [[] as number[], performance.now() + 1000 * seconds]
  let failed = 0
  const client = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const began = performance.now()
      const headers = { 'content-type': 'application/json' }
      const sent = fetch(new URL('/v1/chat/completions', url), {
        method: 'POST',
        headers,
        body: JSON.stringify(question),
      })
      const isAnswered = await sent.then(async response => (await response.text()).includes('usage')).catch(() => false)
      if (isAnswered) ms.push(performance.now() - began)
      else failed++
    }
  }
  await Promise.all(Array.from({ length: Number(values.clients) }, client))
  return { ms, failed }
}

interface Figures {
  readonly answered: number
  readonly failed: number
  readonly p50: number
  readonly p99: number
}

function figures({ ms, failed }: Awaited<ReturnType<typeof healthy>>): Figures {
  const sorted = ms.toSorted((a, b) => a - b)
  const at = (share: number): number => Math.round((sorted[Math.floor(share * sorted.length)] ?? Number.NaN) * 10) / 10
  return { answered: ms.length, failed, p50: at(0.5), p99: at(0.99) }
}

await healthy(3)
const before = figures(await healthy(Number(values.seconds)))
const sockets: Socket[] = []
for (let i = 0; i < Number(values.sockets); i++) {
  sockets.push(await stalled(kinds[i % kinds.length]!)) // one of them
  if (i % 30 === 0) await sleep(50) // unread answers are written a few at a time: there is room for 64
}
await sleep(3000)
const opened = sockets.filter(socket => !socket.destroyed).length
const during = figures(await healthy(Number(values.seconds)))
await sleep(1000 * Number(values.wait))
const [ratio, unread] = [during.p99 / before.p99, sockets.filter((_, i) => i % kinds.length === 2)]
console.log(
  JSON.stringify({
    before,
    during,
    p99Ratio: Math.round(ratio * 100) / 100,
    opened,
    closedBy: Object.fromEntries(closedBy),
    unreadStillOpen: unread.filter(socket => !socket.destroyed).length,
  }),
)
for (const socket of sockets) socket.destroy()
process.exitCode = during.failed === 0 && ratio <= 2 ? 0 : 1
