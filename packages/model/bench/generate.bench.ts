// Tokens per second of LocalPolicy beside transformers.generate (TINY) or llama.cpp (a GGUF file), in one run:
//   node --conditions=@qoq-med/source packages/model/bench/generate.bench.ts --python PYTHON
//   node --conditions=@qoq-med/source packages/model/bench/generate.bench.ts --model SmolLM2.gguf --batches 1,8,32 --llama FOLDER
// PYTHON has torch and transformers; FOLDER has node-llama-cpp (npm install node-llama-cpp@3.22). Without them: no ratio.
import { parseArgs } from 'node:util'
import { createOrtExecutor } from '@qoq-med/tensor'
import { LocalPolicy } from '../src/index.ts'
import { textPrompt } from '../test/parity.ts'
import { benchModel } from './bench-models.ts'
import { llamaThroughput, transformersThroughput, type GenerateWork, type Throughput } from './peers.ts'

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'tiny' },
    batches: { type: 'string', default: '1,8,32,64' },
    prompt: { type: 'string', default: '64' },
    new: { type: 'string', default: '128' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    temperature: { type: 'string', default: '0' },
    python: { type: 'string' },
    llama: { type: 'string' },
  },
})
const work: GenerateWork = {
  batches: values.batches.split(',').map(Number),
  promptTokens: Number(values.prompt),
  newTokens: Number(values.new),
  threads: Number(values.threads),
  rounds: Number(values.rounds),
}
const { model, weights } = await benchModel(values.model)
const executor = await createOrtExecutor({ threads: work.threads })

/** Seconds from the request to the last token of the longest answer. */
async function seconds(policy: LocalPolicy, batch: number): Promise<number> {
  const requests = Array.from({ length: batch }, (_, at) => ({
    prompt: textPrompt(
      Int32Array.from({ length: work.promptTokens }, (_token, i) => 3 + ((at * 977 + i * 131) % 2000)),
    ),
    maxNewTokens: work.newTokens,
    temperature: Number(values.temperature),
    seed: at,
  }))
  const started = performance.now()
  let tokens = 0
  for await (const event of policy.generate(requests)) tokens += event.type === 'token' ? 1 : 0
  if (tokens !== batch * work.newTokens) throw new Error(`${tokens} tokens came, not ${batch * work.newTokens}`)
  return (performance.now() - started) / 1000
}

async function ownThroughput(): Promise<Throughput> {
  const result = new Map<number, number>()
  for (const batch of work.batches) {
    const policy = new LocalPolicy({ model, weights, executor, minBatch: batch === 1 ? 1 : 2 })
    await seconds(policy, batch) // builds the programs
    let best = Infinity
    for (let round = 0; round < work.rounds; round++) best = Math.min(best, await seconds(policy, batch))
    result.set(batch, (batch * work.newTokens) / best)
    await policy.close()
  }
  return result
}

const own = await ownThroughput()
await executor.close()
const peers = {
  ...(values.python && { transformers: transformersThroughput(values.python, model.config.decoder, work) }),
  ...(values.llama && { 'llama.cpp': llamaThroughput(values.llama, values.model, work) }),
}
console.table(
  Object.fromEntries(
    work.batches.map(batch => {
      const rate = own.get(batch)!
      const columns = Object.entries(peers).flatMap(([name, theirs]) => {
        const theirRate = theirs.get(batch)!
        return [[`${name} tok/s`, theirRate.toFixed(1)] as const, ['ratio', (rate / theirRate).toFixed(2)] as const]
      })
      return [`batch ${batch}`, { 'tok/s': rate.toFixed(1), ...Object.fromEntries(columns) }]
    }),
  ),
)
