// Keeps a server under mixed load for as long as is asked, and says whether its memory grew and whether a request was lost:
//   qoq serve --model DIR --port 8080 &
//   node packages/server/bench/soak.ts http://127.0.0.1:8080 --minutes 30 --clients 6 [--only chat,diagnose]
// Memory is that of GET /metrics, which threads of the server it has included. The warm-up (--warm-up, a sixth of the time) does
// not count: heaps grow with their first load. Growth is the slope through the medians of minutes after it, as a robust line has it,
// over the whole time; a heap that is collected now and then makes a saw, so that two windows alone would say what phase they met.
import { appendFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { loads, type Load } from './soak-loads.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '30' },
    clients: { type: 'string', default: '6' },
    only: { type: 'string' },
    'warm-up': { type: 'string' },
    samples: { type: 'string' },
  },
})
const sent = loads.filter(({ name }) => values.only?.split(',').includes(name) ?? true)
if (sent.length === 0) throw new Error(`--only names none of ${loads.map(({ name }) => name).join(', ')}.`)
const url = positionals[0] ?? 'http://127.0.0.1:8080'
const minutes = Number(values.minutes)
const warmUp = Number(values['warm-up'] ?? minutes / 6)
const endsAt = performance.now() + minutes * 60_000
const counts = new Map<string, number>()
const lost: string[] = []

/** Sends one request after the other, each of another kind, until the time is over. */
async function client(first: number): Promise<void> {
  for (let i = first; performance.now() < endsAt; i++) {
    const load: Load = sent[i % sent.length]! // there are some
    try {
      await load.send(url)
      counts.set(load.name, (counts.get(load.name) ?? 0) + 1)
    } catch (thrown) {
      lost.push(`${load.name}: ${thrown instanceof Error ? thrown.message : 'failed'}`)
    }
  }
}

/** MiB of the server by the second: what is resident, and what its first thread has in its heap and in arrays outside. */
interface Memory {
  readonly resident: number
  readonly heap: number
  readonly outside: number
}

async function watch(): Promise<Memory[]> {
  const seen: Memory[] = []
  while (performance.now() < endsAt) {
    const text = await (await fetch(`${url}/metrics`)).text()
    const mb = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]) / 2 ** 20
    const memory = {
      resident: mb('process_resident_memory_bytes'),
      heap: mb('nodejs_heap_size_used_bytes'),
      outside: mb('nodejs_external_memory_bytes'),
    }
    seen.push(memory)
    if (values.samples !== undefined) await appendFile(values.samples, `${JSON.stringify(memory)}\n`)
    await sleep(1000)
  }
  return seen
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

function medians(memory: readonly Memory[]): Memory {
  const of = (name: keyof Memory): number => Math.round(median(memory.map(each => each[name])) * 10) / 10
  return { resident: of('resident'), heap: of('heap'), outside: of('outside') }
}

/** The line through points with the median of their slopes (Theil, Sen): a part of them may lie anywhere. @returns its rise over all */
function robustRise(points: readonly number[]): number {
  const slopes = points.flatMap((y, i) => points.slice(i + 1).map((later, ahead) => (later - y) / (ahead + 1)))
  return median(slopes) * (points.length - 1)
}

function chunks<T>(all: readonly T[], count: number): T[][] {
  return Array.from({ length: count }, (_, i) =>
    all.slice(Math.floor((i * all.length) / count), Math.floor(((i + 1) * all.length) / count)),
  )
}

const [memory] = await Promise.all([
  watch(),
  ...Array.from({ length: Number(values.clients) }, (_, i) => client(i * 3)),
])
const warm = memory.slice(Math.floor((memory.length * warmUp) / minutes))
const byMinute = chunks(warm, Math.max(2, Math.round(minutes - warmUp))).map(each =>
  median(each.map(one => one.resident)),
)
const growth = robustRise(byMinute) / median(byMinute)
const [early, ...later] = chunks(warm, 5)
console.log(
  JSON.stringify({
    minutes,
    requests: Object.fromEntries(counts),
    lost: lost.length,
    firstLost: lost.slice(0, 5),
    afterWarmUpMb: medians(early!), // one of five
    atTheEndMb: medians(later.at(-1)!), // another
    leastMb: chunks(warm, 5).map(each => Math.round(Math.min(...each.map(one => one.resident)))),
    residentMbByMinute: byMinute.map(Math.round),
    growthPercent: Math.round(growth * 1000) / 10,
  }),
)
process.exitCode = lost.length === 0 && growth < 0.02 ? 0 : 1
