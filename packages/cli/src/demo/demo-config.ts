import type { DemoPlan } from './demo-plan.ts'

/** Steps of a demo's stages. */
export interface DemoSteps {
  /** Of the supervised warm start; 0 goes on from a model. */
  readonly warmStart: number
  readonly drpo: number
}

/** What a demo trains from: the folder of a warm start, or random weights with a warm start of its own. */
export type DemoModel =
  | { readonly checkpoint: string }
  | { readonly preset: 'qoq-nano'; readonly vocabularySize: number }

/**
 * The configuration of a demo's training: DRPO as recommended, after a warm start where the model has none. How the numbers
 * were found is in docs/log.md.
 */
export function demoConfig(
  { sources }: Pick<DemoPlan, 'sources'>,
  { model, steps, seed }: { readonly model: DemoModel; readonly steps: DemoSteps; readonly seed: number },
): unknown {
  const warmStart = {
    name: 'warm-start',
    algorithm: 'sft',
    steps: steps.warmStart,
    batchSize: 16,
    microbatchSize: 16,
    learningRate: 3e-3,
    schedule: { type: 'cosine', warmupSteps: 10, final: 1.5e-3 },
    checkpointEvery: 1000,
  }
  const drpo = {
    name: 'drpo',
    algorithm: 'drpo-recommended',
    steps: steps.drpo,
    questionsPerStep: 32,
    groupSize: 4,
    microbatchSize: 32,
    learningRate: 2e-4,
    schedule: { type: 'linear', warmupSteps: 3 },
    klCoefficient: 0.02,
    rollout: { maxNewTokens: 128 },
    checkpointEvery: 1000,
  }
  return {
    name: 'demo',
    seed,
    model,
    data: { sources, splits: ['train', 'valid', 'test'], ...('preset' in model && { maxPixels: 12_544 }) },
    rewards: 'paper',
    stages: [...(steps.warmStart > 0 ? [warmStart] : []), drpo],
  }
}
