// AdamW and the gradient norm over one parameter, WebAssembly against TypeScript:
//   node --conditions=@qoq-med/source packages/tensor/bench/adamw.bench.ts [elements = 5_000_000]
import { createAdamW } from '../src/optim/adamw.ts'
import { gradientNorm } from '../src/optim/gradient-norm.ts'
import { referenceKernels } from '../src/optim/reference-kernels.ts'
import { createParameterStore } from '../src/parameter-store.ts'
import { timeInTurn } from './timing.ts'

const size = Number(process.argv[2] ?? 5_000_000)
const store = createParameterStore([{ name: 'w', shape: [size] }])
store.weights('w').fill(0.1)
store.gradient('w').fill(1e-3)
const [one, two] = [1, 2].map(threads => createAdamW(store, { threads }))
const typescript = createAdamW(store, { kernels: referenceKernels })

const cases = {
  'AdamW, WebAssembly, 1 thread': () => one?.step({ learningRate: 1e-6 }),
  'AdamW, WebAssembly, 2 threads': () => two?.step({ learningRate: 1e-6 }),
  'AdamW, TypeScript': () => typescript.step({ learningRate: 1e-6 }),
  'gradient norm, WebAssembly': () => gradientNorm(store),
  'gradient norm, TypeScript': () => referenceKernels.sumOfSquares(store.flat('gradients')),
}
const results = await timeInTurn(cases, size > 50_000_000 ? 6 : 20)
const perElement = Object.entries(results).map(([name, { minMs, medianMs }]) => {
  return [name, { minMs, medianMs, nsPerParameter: ((Number(minMs) / size) * 1e6).toFixed(3) }]
})
console.log(`${size} parameters`)
console.table(Object.fromEntries(perElement))
