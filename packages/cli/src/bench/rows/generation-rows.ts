import type { BenchRow } from '../base/bench-row.ts'
import { tinySizes } from '../base/bench-sizes.ts'

const lengths = { promptTokens: 64, newTokens: 128 }

const tinyTargets = [
  { batch: 1, ratio: 4 },
  { batch: 8, ratio: 2 },
  { batch: 32, ratio: 1.5 },
  { batch: 64, ratio: 1.5 },
]

const smolTargets = [
  { batch: 1, ratio: 0.9, weightsType: 'int4' },
  { batch: 8, ratio: 1.5, weightsType: 'float32' },
  { batch: 32, ratio: 2, weightsType: 'float32' },
]

/** Generation beside transformers and llama.cpp, and how far its log-probabilities are from the trainer's. */
export const generationRows: readonly BenchRow[] = [
  ...tinyTargets.map(({ batch, ratio }): BenchRow => ({
    name: `tensor/generate-tiny-${batch}`,
    work: `generate ${lengths.newTokens} tokens after ${lengths.promptTokens}, TINY, batch ${batch}`,
    measure: 'generation',
    options: { ...lengths, decoder: tinySizes, batch },
    peer: { name: 'transformers', runtime: 'python', script: 'transformers_generate.py', devices: ['cuda'] },
    figure: 'rate',
    unit: 'tokens/s',
    target: { type: 'ratio', value: ratio },
  })),
  ...smolTargets.map(({ batch, ratio, weightsType }): BenchRow => ({
    name: `tensor/generate-smollm2-${batch}`,
    work: `generate ${lengths.newTokens} tokens after ${lengths.promptTokens}, SmolLM2-135M in ${weightsType}, batch ${batch}`,
    measure: 'generation',
    options: { ...lengths, batch, weightsType },
    peer: { name: 'llama.cpp', runtime: 'llama', script: 'llama-generate.mjs' },
    figure: 'rate',
    unit: 'tokens/s',
    target: { type: 'ratio', value: ratio },
    rounds: 3,
    needs: 'gguf',
  })),
  {
    name: 'tensor/logprob-gap',
    work: 'largest gap between log-probabilities of sampler and trainer, TINY, 4 × 4 answers of 64 tokens',
    measure: 'logprob-gap',
    options: { decoder: tinySizes, batch: 4, samples: 4, promptTokens: 64, newTokens: 64 },
    figure: 'value',
    unit: 'nats',
    target: { type: 'limit', value: 2e-5 },
  },
]
