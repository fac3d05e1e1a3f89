import type { BenchRow } from '../base/bench-row.ts'

const newTokens = 64
/** Eight clients of ours, and of llama.cpp's server: ours as `qoq serve --weights int4` has the model, theirs in the file's Q4_1. */
const besideLlama = {
  measure: 'served-chat',
  options: { clients: 8, newTokens, value: 'first', weightsType: 'int4' },
  peer: { name: "llama.cpp's server", runtime: 'python', script: 'llama_server.py' },
  rounds: 3,
  needs: 'gguf',
} as const

/** Chat completions over HTTP, SmolLM2-135M: beside the engine alone, and beside llama.cpp's server. */
export const serverRows: readonly BenchRow[] = [
  ...[8, 32].map((clients): BenchRow => ({
    name: `server/overhead-${clients}`,
    work: `${clients} clients x ${newTokens} tokens over HTTP, by the time of the same answers in one batch without a server`,
    measure: 'served-chat',
    options: { clients, newTokens, value: 'overhead' },
    figure: 'value',
    unit: 'times',
    // 0.9 of the tokens a second.
    target: { type: 'limit', value: 1.11 },
    rounds: 2,
    needs: 'gguf',
  })),
  {
    name: 'server/smollm2-8',
    work: `8 clients x ${newTokens} tokens over HTTP, SmolLM2-135M in four bits`,
    ...besideLlama,
    figure: 'rate',
    unit: 'tokens/s',
    target: { type: 'ratio', value: 1.2 },
  },
  {
    name: 'server/smollm2-8-first',
    work: 'first words of 8 clients at once, the 95th percentile',
    ...besideLlama,
    figure: 'value',
    unit: 's',
    target: { type: 'ratio', value: 1 },
  },
]
