// One side of train-step.bench.ts: makes a training step for every line on its standard input and answers
// {"ms": …, "loss": …}; at the end of the input {"peakMb": …}, the largest resident memory.
//   node --conditions=@qoq-med/source packages/trainer/bench/step-worker.ts tiny [fast]
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { policyParameterSpecs, type ScoredSequence } from '@qoq-med/model'
import { createOrtExecutor, createParameterStore, type MemoryMode } from '@qoq-med/tensor'
import { createLearner, type PolicyTarget } from '../src/learner.ts'
import { stepShapes, type StepShape } from './shapes.ts'

/** A reproducible sequence of numbers in [0, 1). */
function uniform(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

const { decoder, batch, length }: StepShape = stepShapes[(process.argv[2] ?? 'tiny') as keyof typeof stepShapes] // a name of the table
const random = uniform(1)
const store = createParameterStore(policyParameterSpecs({ decoder }))
for (const { name, shape } of store.parameters) {
  const centre = shape.length === 1 && name.includes('norm') ? 1 : 0
  const weights = store.weights(name)
  for (let i = 0; i < weights.length; i++) weights[i] = centre + 0.07 * (random() - 0.5)
}
const tokens = (count: number): Int32Array => Int32Array.from({ length: count }, () => random() * decoder.vocabSize)
const sequences = Array.from({ length: batch }, (): ScoredSequence => {
  const positionIds = Int32Array.of(0)
  const prompt = { tokenIds: tokens(1), positionIds, ropeDelta: 0, vision: [], ecgs: [] }
  const nowhere = { visionPositions: new Int32Array(), ecgPositions: new Int32Array() }
  return { prompt: { ...prompt, ...nowhere }, completion: tokens(length - 1) }
})
const executor = await createOrtExecutor({ threads: 2 })
const memory = (process.argv[3] ?? 'fast') as MemoryMode
const options = { weightDecay: 0.01, maxGradientNorm: 1, temperature: 1, memory }
const learner = createLearner(executor, { decoder, encoders: {} }, store, options)
const scores = await learner.score(sequences)
const targets = scores.map((logprobs): PolicyTarget => {
  const noisy = (width: number): Float32Array => logprobs.map(value => value + width * (random() - 0.5))
  const tokenWeight = 1 / (batch * (length - 1))
  return { oldLogprobs: noisy(0.5), refLogprobs: noisy(1), advantage: 4 * random() - 2, tokenWeight }
})

async function step(): Promise<void> {
  const started = performance.now()
  const policy = { clipRatioLow: 0.2, clipRatioHigh: 0.2, klCoefficient: 0.04 }
  const { loss } = await learner.accumulatePolicy(sequences, targets, policy)
  learner.update(1e-6)
  console.log(JSON.stringify({ ms: performance.now() - started, loss }))
}

console.log('ready')
for await (const _ of createInterface({ input: process.stdin })) await step()
const [, peakKb] = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
console.log(JSON.stringify({ peakMb: Number(peakKb) / 1024 }))
await learner.close()
await executor.close()
