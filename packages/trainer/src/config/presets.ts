import { referenceOptions } from '@qoq-med/core-drpo'

/** Fields of a configuration that a preset fills in: of the run, of SFT stages, of reinforcement stages, by algorithm. */
interface RunPreset {
  readonly run: Readonly<Record<string, unknown>>
  readonly sft: Readonly<Record<string, unknown>>
  readonly policy: Readonly<Record<string, unknown>>
  readonly algorithms: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** Settings of D.1 that the paper and its public code share. */
const shared = {
  seed: 42,
  // A context of 8,192 tokens: a prompt and an answer of half of it each.
  data: { maxPromptTokens: 4096 },
  stage: { learningRate: 1e-6, weightDecay: 1e-2, maxGradientNorm: 1 },
  policy: {
    questionsPerStep: 512,
    groupSize: 5,
    minibatches: 4,
    updateEpochs: 1,
    klCoefficient: 1e-4,
    microbatchSize: 4,
    rollout: { temperature: 1, topP: 0.99, maxNewTokens: 4096 },
  },
}

/** D.1 stops where the accuracy stops improving; how it is measured is open (docs/paper-map.md). */
const earlyStopping = { every: 5, samples: 1024, patience: 3, draw: 'by-domain' }

/** What the public code asks: reasoning, boxes and the answer, in our words. */
const releaseTemplate = [
  '{question} First reason as an inner monologue within <think> </think>.',
  'Before you analyse medical images, list the objects that matter for the diagnosis as JSON within ```json and ```,',
  'each with its box under the key "bbox_2d" as [x1, y1, x2, y2]. Put the final answer into \\boxed{}.',
].join(' ')

/**
 * Named settings of a run; what a configuration sets itself stays. `paper`: D.1 with the objective of section 3.3, and early
 * stopping. `release`: the same with what the public code does: objective, rewards, DRPO over datasets with its history, its
 * question, frames as pictures, 5 s of an ECG. `nano`: sizes at which `qoq-nano` learns on two cores in minutes.
 */
export const runPresets = {
  paper: {
    run: { seed: shared.seed, data: shared.data, rewards: 'paper' },
    sft: shared.stage,
    policy: {
      ...shared.stage,
      ...shared.policy,
      clipRatioLow: 0.2,
      clipRatioHigh: 0.2,
      aggregation: 'sequence-mean-token-mean',
      epochs: 1,
      validate: earlyStopping,
    },
    algorithms: {},
  },
  release: {
    run: {
      seed: shared.seed,
      data: {
        ...shared.data,
        presentation: { template: releaseTemplate, frames: 'pictures', ecgWindow: 'release' },
      },
      rewards: 'release',
    },
    sft: shared.stage,
    policy: {
      ...shared.stage,
      ...shared.policy,
      clipRatioLow: 0.2,
      clipRatioHigh: 0.3,
      dualClip: 3,
      klEstimator: 'low_var_kl',
      aggregation: 'token-mean',
      groupBy: 'dataset',
    },
    algorithms: { drpo: { advantage: referenceOptions } },
  },
  nano: {
    run: { model: { preset: 'qoq-nano', vocabularySize: 1000 }, data: { maxPixels: 12_544 }, rewards: 'paper' },
    sft: { batchSize: 16, learningRate: 2e-3, schedule: { type: 'cosine', warmupSteps: 5 } },
    policy: {
      questionsPerStep: 8,
      groupSize: 8,
      learningRate: 1e-4,
      klCoefficient: 1e-2,
      rollout: { maxNewTokens: 96 },
    },
    // One damping factor per question: with one per response a small policy unlearns (docs/log.md).
    algorithms: {
      drpo: { advantage: { dampingScope: 'group' } },
      'drpo-domain-only': { advantage: { dampingScope: 'group' } },
      ppo: { critic: { learningRate: 1e-3, warmupSteps: 5 } },
    },
  },
} as const satisfies Readonly<Record<string, RunPreset>>

/** The name of a preset. */
export type RunPresetName = keyof typeof runPresets

/** Names of the presets. */
export const runPresetNames = Object.keys(runPresets) as [RunPresetName, ...RunPresetName[]] // the table's own keys
