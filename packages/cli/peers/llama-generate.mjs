// llama.cpp through node-llama-cpp on a GGUF file: different prompts at once, each answered by a fixed number of greedy
// tokens. options: threads, gguf, llama (folder in which `npm install node-llama-cpp` ran), batch, promptTokens, newTokens
import { readFileSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const { threads, gguf, llama: folder, batch, promptTokens, newTokens } = JSON.parse(process.argv[2])
const say = line => writeSync(1, `${JSON.stringify(line)}\n`)

/** Loads the library, or answers why it cannot. */
async function load() {
  try {
    const file = createRequire(join(folder, 'package.json')).resolve('node-llama-cpp')
    const library = await import(pathToFileURL(file).href)
    return { library, version: await library.getModuleVersion() }
  } catch (error) {
    return { reason: String(error.message).split('\n')[0] }
  }
}

const { library, version, reason } = await load()
if (library === undefined) {
  say({ type: 'unavailable', reason })
  process.exit(0)
}
const engine = await library.getLlama({ build: 'never', gpu: false, logLevel: 'error', maxThreads: threads })
const model = await engine.loadModel({ modelPath: gguf, gpuLayers: 0 })
const context = await model.createContext({
  sequences: batch,
  contextSize: 256 * Math.ceil((promptTokens + newTokens + 1) / 256),
  batchSize: Math.max(512, batch * promptTokens),
  threads: { ideal: threads, min: threads },
})
const sequences = Array.from({ length: batch }, () => context.getSequence())

async function answer(sequence, at) {
  const prompt = Array.from({ length: promptTokens }, (_, i) => 3 + ((at * 977 + i * 131) % 2000))
  await sequence.clearHistory()
  const tokens = sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })
  let count = 0
  while (count < newTokens && !(await tokens.next()).done) count++
  await tokens.return()
  if (count !== newTokens) throw new Error(`${count} tokens came, not ${newTokens}`)
}

say({ type: 'ready', versions: { 'node-llama-cpp': version } })
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
while (!(await lines.next()).done) {
  const began = performance.now()
  await Promise.all(sequences.map(answer))
  const seconds = (performance.now() - began) / 1000
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  say({ type: 'round', seconds, units: batch * newTokens, peakRssBytes: Number(kilobytes) * 1024 })
}
process.exit(0)
