import type { BenchRow } from '../bench-row.ts'
import { tinySizes } from '../bench-sizes.ts'

/** A whole step of reinforcement learning beside TRL's GRPOTrainer (engine.md). */
export const policyRows: readonly BenchRow[] = ['grpo', 'drpo'].map(algorithm => ({
  name: `trainer/${algorithm}-step-tiny`,
  work: `a step of ${algorithm.toUpperCase()} with a reference model, TINY, 8 questions × 8 answers, 64 + 64 tokens, one update`,
  measure: 'policy-step',
  options: {
    decoder: tinySizes,
    algorithm,
    questions: 8,
    groupSize: 8,
    promptTokens: 64,
    newTokens: 64,
    microbatchSize: 16,
  },
  peer: { name: 'TRL GRPOTrainer', runtime: 'python', script: 'grpo_step.py' },
  figure: 'time',
  unit: 's',
  target: { type: 'ratio', value: 0.5 },
  rounds: 4,
}))
