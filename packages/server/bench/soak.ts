// Keeps a server under mixed load for as long as is asked, and says whether its memory grew and whether a request was lost:
//   qoq serve --model DIR --port 8080 &
//   node packages/server/bench/soak.ts http://127.0.0.1:8080 --minutes 30 --clients 6 [--only chat,diagnose]
// Memory is that of GET /metrics. The first tenth warms the server up; growth is between the medians of the second tenth and the last.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { loads, type Load } from './soak-loads.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '30' },
    clients: { type: 'string', default: '6' },
    only: { type: 'string' },
  },
})
const sent = loads.filter(({ name }) => values.only?.split(',').includes(name) ?? true)
if (sent.length === 0) throw new Error(`--only names none of ${loads.map(({ name }) => name).join(', ')}.`)
const url = positionals[0] ?? 'http://127.0.0.1:8080'
const endsAt = performance.now() + Number(values.minutes) * 60_000
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
    seen.push({
      resident: mb('process_resident_memory_bytes'),
      heap: mb('nodejs_heap_size_used_bytes'),
      outside: mb('nodejs_external_memory_bytes'),
    })
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

const [memory] = await Promise.all([
  watch(),
  ...Array.from({ length: Number(values.clients) }, (_, i) => client(i * 3)),
])
const tenth = Math.max(1, Math.floor(memory.length / 10))
const [early, late] = [medians(memory.slice(tenth, 2 * tenth)), medians(memory.slice(-tenth))]
const growth = (late.resident - early.resident) / early.resident
console.log(
  JSON.stringify({
    minutes: Number(values.minutes),
    requests: Object.fromEntries(counts),
    lost: lost.length,
    firstLost: lost.slice(0, 5),
    earlyMb: early,
    lateMb: late,
    growthPercent: Math.round(growth * 1000) / 10,
  }),
)
process.exitCode = lost.length === 0 && growth < 0.02 ? 0 : 1
