import { z } from 'zod'

const positive = z.number().positive()
const count = z.int().positive()

const Schedule = z.strictObject({
  type: z.enum(['constant', 'cosine', 'linear']).default('constant'),
  /** Steps over which the learning rate rises from zero. */
  warmupSteps: z.int().min(0).default(0),
})

const stageFields = {
  name: z.string().regex(/^[\w-]+$/, 'use letters, digits, _ and -'),
  steps: count,
  learningRate: positive,
  schedule: Schedule.prefault({}),
  weightDecay: z.number().min(0).default(0.01),
  /** Largest global gradient norm; gradients above it are scaled down. */
  maxGradientNorm: positive.default(1),
  /** Patterns of parameter names that train, `*` matching anything. */
  trainable: z.array(z.string()).nonempty().default(['*']),
  /** Trains low-rank adapters beside the frozen model, which the run merges into it. */
  lora: z
    .strictObject({
      rank: count.max(4096),
      alpha: positive,
      /** Chance that an input of an adapter is left out in a training pass. */
      dropout: z.number().min(0).max(0.9).default(0),
      /** Linear layers: module names with `*` for anything, or their last part such as q_proj. */
      targets: z.array(z.string()).nonempty().default(['model.layers.*']),
    })
    .optional(),
  /** Domains whose samples take part; all when absent. */
  domains: z.array(z.string()).nonempty().optional(),
  /** Sequences per forward pass. */
  microbatchSize: count.default(8),
  /** Stops with an error at a value that is not finite, or leaves that step out. */
  onNotFinite: z.enum(['stop', 'skip']).default('stop'),
  /** Steps between checkpoints; the last step always makes one. */
  checkpointEvery: count.default(50),
}

const SftStage = z.strictObject({
  ...stageFields,
  algorithm: z.literal('sft'),
  batchSize: count.default(16),
})

/** Algorithms of the reinforcement stage; each is an advantage estimator with options (drpo.md). */
export const policyAlgorithms = ['drpo', 'drpo-domain-only', 'drpo-no-kl', 'grpo', 'dr-grpo', 'rloo'] as const

const PolicyStage = z.strictObject({
  ...stageFields,
  algorithm: z.enum(policyAlgorithms),
  /** Questions per step (the paper's rollout batch). */
  questionsPerStep: count.default(8),
  /** Rollouts per question; the paper's G. */
  groupSize: count.min(2).default(5),
  /** Passes over a step's rollouts. */
  epochs: count.default(1),
  /** Optimizer updates per pass. */
  minibatches: count.default(1),
  clipRatioLow: positive.max(1).default(0.2),
  clipRatioHigh: positive.default(0.2),
  dualClip: z.number().min(1).optional(),
  klCoefficient: z.number().min(0).default(1e-4),
  aggregation: z
    .enum(['sequence-mean-token-mean', 'token-mean', 'sequence-mean-token-sum-norm'])
    .default('sequence-mean-token-mean'),
  /** Options of the advantage estimator, as `qoq advantages --options` takes them. */
  advantage: z.record(z.string(), z.unknown()).default({}),
  rollout: z
    .strictObject({
      temperature: positive.default(1),
      topP: positive.max(1).default(0.99),
      topK: z.int().min(0).default(0),
      maxNewTokens: count.default(128),
    })
    .prefault({}),
})

const EcgPretrainStage = z.strictObject({
  name: stageFields.name,
  algorithm: z.literal('ecg-pretrain'),
  steps: stageFields.steps,
  learningRate: stageFields.learningRate,
  schedule: stageFields.schedule,
  /** Share of a matrix taken away per step and unit of learning rate. */
  weightDecay: z.number().min(0).default(0.05),
  domains: z.array(z.string()).nonempty().default(['ecg']),
  batchSize: count.default(16),
  checkpointEvery: stageFields.checkpointEvery,
  /** How time patches are hidden: one by one, or in blocks. */
  mask: z.enum(['random', 'block']).default('random'),
  /** Least and largest share of the patches that a draw hides. */
  maskScale: z.tuple([z.number().positive().max(1), z.number().positive().max(1)]).default([0.6, 0.7]),
})

const Source = z.strictObject({
  dataset: z.string(),
  /** Where the dataset was unpacked; relative to the configuration file. */
  root: z.string(),
  onError: z.enum(['throw', 'skip']).default('throw'),
})

/** A run as it is written in YAML; see `TrainConfig`. */
export const TrainConfigSchema = z
  .strictObject({
    name: z.string().regex(/^[\w-]+$/, 'use letters, digits, _ and -'),
    seed: z.int().min(0).default(42),
    /** Threads of the engine. */
    threads: count.default(2),
    model: z
      .strictObject({
        /** A size to train from scratch. */
        preset: z.enum(['qoq-nano']).optional(),
        /** A checkpoint folder to start from; relative to the configuration file. */
        checkpoint: z.string().optional(),
        /** Entries of the tokenizer that a preset trains on the questions and references; default 1500. */
        vocabularySize: z.int().min(300).optional(),
      })
      .refine(model => (model.preset === undefined) !== (model.checkpoint === undefined), {
        message: 'give either preset or checkpoint',
      })
      .refine(model => model.checkpoint === undefined || model.vocabularySize === undefined, {
        message: 'a checkpoint brings its own tokenizer',
        path: ['vocabularySize'],
      }),
    data: z.strictObject({
      sources: z.array(Source).min(1),
      /** A preset scales pictures to at most this many pixels; default 12,544 (D.1: 524,288). */
      maxPixels: count.optional(),
      /** Splits whose samples train. */
      splits: z
        .array(z.enum(['train', 'valid', 'test']))
        .nonempty()
        .default(['train']),
      maxPromptTokens: count.default(1024),
    }),
    /** Weights by reward name, or a preset of the rewards package. */
    rewards: z
      .union([z.literal('paper'), z.literal('release'), z.record(z.string(), z.number().min(0))])
      .default('paper'),
    stages: z.array(z.discriminatedUnion('algorithm', [SftStage, PolicyStage, EcgPretrainStage])).min(1),
    /** The run folder; relative to the working directory. Default runs/<name>. */
    out: z.string().optional(),
  })
  .refine(({ model, data }) => model.checkpoint === undefined || data.maxPixels === undefined, {
    message: 'a checkpoint brings its own limit of pixels',
    path: ['data', 'maxPixels'],
  })
  .refine(
    ({ stages }) =>
      stages.every(stage => !isTuned(stage) || stage.lora === undefined || stage.trainable.join() === '*'),
    {
      message: 'with lora only its targets train; leave trainable out',
      path: ['stages'],
    },
  )

/** A checked configuration with every default filled in. */
export type TrainConfig = z.output<typeof TrainConfigSchema>
/** A stage of supervised fine-tuning on reference responses. */
export type SftStage = Extract<TrainConfig['stages'][number], { algorithm: 'sft' }>
/** A stage of reinforcement learning. */
export type PolicyStage = Exclude<TrainConfig['stages'][number], { algorithm: 'sft' | 'ecg-pretrain' }>
/** A stage of ECG-JEPA's self-supervised training of the ECG encoder. */
export type EcgPretrainStage = Extract<TrainConfig['stages'][number], { algorithm: 'ecg-pretrain' }>
/** A stage that trains the policy to answer. */
export type TunedStage = SftStage | PolicyStage

/** Tells whether a stage trains the policy to answer. */
export function isTuned<Stage extends { readonly algorithm: string }>(
  stage: Stage,
): stage is Exclude<Stage, { readonly algorithm: 'ecg-pretrain' }> {
  return stage.algorithm !== 'ecg-pretrain'
}
