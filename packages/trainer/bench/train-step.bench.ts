// A training step (forward, backward, clipping, AdamW) through the learner, in turn with the same step in PyTorch:
//   node --conditions=@qoq-med/source packages/trainer/bench/train-step.bench.ts tiny 8 [--python PATH] [--memory fast,saved]
// Prints the smallest times, ratios and the largest resident memory of each process. Without --python there are no peers.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

interface Side {
  readonly name: string
  readonly child: ChildProcess
  readonly lines: AsyncIterator<string>
  readonly ms: number[]
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { python: { type: 'string' }, memory: { type: 'string', default: 'fast' } },
})
const [shape = 'tiny', rounds = '6'] = positionals
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const ours = values.memory.split(',').map(mode => {
  const command = [process.execPath, '--conditions=@qoq-med/source', path('step-worker.ts'), shape, mode]
  return start(`ours, ${mode}`, command)
})
const peers = values.python === undefined ? [] : ['eager', 'compile'].map(mode => startPeer(values.python!, mode))
const sides = [...ours, ...peers]
for (const { lines } of sides) await lines.next() // "ready"
for (let round = -2; round < Number(rounds); round++) {
  for (const { child, lines, ms } of sides) {
    child.stdin!.write('step\n')
    const answer = JSON.parse((await lines.next()).value as string) as { ms: number } // one line per step
    if (round >= 0) ms.push(answer.ms)
  }
}
const rows: { name: string; minMs: number; medianMs: number; peakMb: number }[] = []
for (const { name, child, lines, ms } of sides) {
  child.stdin!.end()
  const { peakMb } = JSON.parse((await lines.next()).value as string) as { peakMb: number } // the last line
  if (child.exitCode === null) await once(child, 'exit')
  const sorted = ms.toSorted((a, b) => a - b)
  rows.push({ name, minMs: sorted[0]!, medianMs: sorted[sorted.length >> 1]!, peakMb })
}
const ratio = (own: number, name: string, key: 'minMs' | 'peakMb'): string | undefined => {
  const peer = rows.find(row => row.name === name)
  return peer && (own / peer[key]).toFixed(3)
}
console.table(
  rows.map(({ name, minMs, medianMs, peakMb }) => ({
    [shape]: name,
    'min ms': minMs.toFixed(0),
    'median ms': medianMs.toFixed(0),
    'of eager': ratio(minMs, 'torch eager', 'minMs'),
    'of compile': ratio(minMs, 'torch compile', 'minMs'),
    'peak MB': peakMb.toFixed(0),
    'peak of eager': ratio(peakMb, 'torch eager', 'peakMb'),
    'peak of compile': ratio(peakMb, 'torch compile', 'peakMb'),
  })),
)

function startPeer(python: string, mode: string): Side {
  return start(`torch ${mode}`, [python, path('../../../tooling/peers/train_step.py'), shape, mode])
}

function start(name: string, [command = '', ...rest]: readonly string[]): Side {
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
  return { name, child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](), ms: [] }
}
