// Tokens per second of llama.cpp through node-llama-cpp, greedy, on a GGUF file.
//   node llama-generate.mjs '{"modules": FOLDER, "model": FILE, "batches": [1, 8], "promptTokens": 64, "newTokens": 128, "threads": 2, "rounds": 3}'
// FOLDER is one in which `npm install node-llama-cpp@3.22` ran. Prints [[batch, tokens per second], ...], the best round.
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const task = JSON.parse(process.argv[2])
const require = createRequire(`${resolve(task.modules)}/`)
const { getLlama } = await import(pathToFileURL(require.resolve('node-llama-cpp')).href)
const llama = await getLlama({ build: 'never', gpu: false, logLevel: 'error', maxThreads: task.threads })
const model = await llama.loadModel({ modelPath: resolve(task.model), gpuLayers: 0 })

async function answer(sequence, at) {
  const prompt = Array.from({ length: task.promptTokens }, (_, i) => 3 + ((at * 977 + i * 131) % 2000))
  await sequence.clearHistory()
  const tokens = []
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    if (tokens.push(token) === task.newTokens) return
  }
  throw new Error(`${tokens.length} tokens came, not ${task.newTokens}`)
}

const results = []
for (const batch of task.batches) {
  const context = await model.createContext({
    sequences: batch,
    contextSize: 256 * Math.ceil((task.promptTokens + task.newTokens + 1) / 256),
    batchSize: Math.max(512, batch * task.promptTokens),
    threads: { ideal: task.threads, min: task.threads },
  })
  const sequences = Array.from({ length: batch }, () => context.getSequence())
  let best = Infinity
  for (let round = 0; round <= task.rounds; round++) {
    const started = performance.now()
    await Promise.all(sequences.map(answer))
    if (round > 0) best = Math.min(best, (performance.now() - started) / 1000)
  }
  results.push([batch, (batch * task.newTokens) / best])
  await context.dispose()
}
console.log(JSON.stringify(results))
process.exit(0)
