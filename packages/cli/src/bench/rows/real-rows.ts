import type { BenchRow } from '../base/bench-row.ts'

const peer = { name: 'llama.cpp', runtime: 'python', script: 'llama_large.py' } as const

/**
 * A model of 3 B or 7 B in four bits, beside llama.cpp with Q4_0 of the same shapes (docs/guides/run-qoq-med-7b.md). A row with both
 * programs, their starts and the round that does not count takes less than six minutes at 7 B on two cores, so that each can be run
 * alone on a quiet machine.
 */
export const realRows: readonly BenchRow[] = [
  {
    name: 'real/start',
    work: 'open and load packed weights, to the first token: a later start',
    measure: 'packed-model',
    options: { work: 'start' },
    figure: 'time',
    unit: 's',
    target: { type: 'limit', value: 8 },
    rounds: 2,
    needs: 'large',
  },
  {
    name: 'real/prefill',
    work: 'read a prompt of 1,000 tokens',
    measure: 'packed-model',
    options: { work: 'prefill', promptTokens: 1000 },
    peer,
    figure: 'rate',
    unit: 'tokens/s',
    target: { type: 'ratio', value: 1.3 },
    memoryTarget: 1,
    // A round of both programs takes about two minutes.
    rounds: 1,
    needs: 'large',
  },
  ...[
    { batch: 1, ratio: 0.95 },
    { batch: 4, ratio: 1.2 },
  ].map(({ batch, ratio }): BenchRow => ({
    name: `real/decode-${batch}`,
    work: `16 tokens of each of ${batch} answers after 128`,
    measure: 'packed-model',
    options: { work: 'decode', batch, promptTokens: 128, newTokens: 17 },
    peer,
    figure: 'rate',
    unit: 'tokens/s',
    target: { type: 'ratio', value: ratio },
    memoryTarget: 1,
    rounds: 3,
    needs: 'large',
  })),
  {
    name: 'real/picture',
    work: 'one picture of 756 × 756 through the vision tower',
    measure: 'packed-model',
    options: { work: 'picture', side: 756 },
    peer: { name: 'llama.cpp', runtime: 'python', script: 'llama_picture.py' },
    figure: 'time',
    unit: 's',
    target: { type: 'ratio', value: 1.5 },
    rounds: 2,
    needs: 'large',
  },
]
