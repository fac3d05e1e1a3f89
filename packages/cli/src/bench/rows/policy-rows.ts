import { tinySizes, tinyPictures } from '../base/bench-sizes.ts'
import type { BenchRow } from '../base/bench-row.ts'

const steps = [
  { id: 'grpo', algorithm: 'grpo', ratio: 0.5 },
  { id: 'drpo', algorithm: 'drpo', ratio: 0.5 },
  { id: 'grpo-pictures', algorithm: 'grpo', ratio: 0.6, pictures: tinyPictures },
]

/** A whole step of reinforcement learning beside TRL's GRPOTrainer. */
export const policyRows: readonly BenchRow[] = steps.map(({ id, algorithm, ratio, pictures }) => ({
  name: `trainer/${id}-step-tiny`,
  work: `a step of ${algorithm.toUpperCase()} with a reference model, TINY, 8 questions × 8 answers, 64 + 64 tokens${pictures ? ` and a picture of ${pictures.edge} × ${pictures.edge}` : ''}, one update`,
  measure: 'policy-step',
  options: {
    decoder: tinySizes,
    algorithm,
    questions: 8,
    groupSize: 8,
    promptTokens: 64,
    newTokens: 64,
    microbatchSize: 16,
    ...(pictures && { pictures }),
  },
  peer: { name: 'TRL GRPOTrainer', runtime: 'python', script: 'grpo_step.py' },
  figure: 'time',
  unit: 's',
  target: { type: 'ratio', value: ratio },
  rounds: 4,
}))
