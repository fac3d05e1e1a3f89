import { policyLossOptionTable } from '@qoq-med/core-drpo'
import { z } from 'zod'
import { algorithmOf, policyAlgorithms } from './algorithms.ts'

const positive = z.number().positive()
const count = z.int().positive()
const fraction = z.number().min(0).max(1)

const Schedule = z
  .strictObject({
    type: z.enum(['constant', 'cosine', 'linear']).default('constant'),
    /** Steps over which the learning rate rises from zero. */
    warmupSteps: z.int().min(0).default(0),
    /** Learning rate at the end of a falling schedule; at most the stage's own. Default 0. */
    final: z.number().min(0).optional(),
  })
  .refine(({ type, final }) => type !== 'constant' || final === undefined, {
    message: 'a constant schedule has no final rate',
    path: ['final'],
  })

const Validate = z.strictObject({
  /** Steps between validations; the start and the last step always make one. */
  every: count,
  /** Questions, the same every time. */
  samples: count.default(64),
  split: z.enum(['valid', 'test', 'train']).default('valid'),
  /** Draws the questions from all alike, or as many of each domain as there are. */
  draw: z.enum(['random', 'by-domain']).default('random'),
  /** Validations without a better accuracy after which the stage ends; never when absent. */
  patience: count.optional(),
  /** Default: the limit of the rollouts; 128 in an SFT stage. */
  maxNewTokens: count.optional(),
})

/** How a stage validates. */
export type Validation = Omit<z.output<typeof Validate>, 'maxNewTokens'>

const stageFields = {
  name: z.string().regex(/^[\w-]+$/, 'use letters, digits, _ and -'),
  /** Steps of the stage; give this or `epochs`. 0 until the data are known, where `epochs` is given. */
  steps: z.int().min(0).default(0),
  /** Passes over the samples of the stage, from which the number of steps follows. */
  epochs: positive.optional(),
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
  /** Measures the accuracy on samples that do not train; the stage then leaves its best weights by the mean over domains, not its last. */
  validate: Validate.optional(),
}

/** Only adapters train where a stage has some. */
function areAdaptersAlone(stage: {
  readonly lora?: object | undefined
  readonly trainable: readonly string[]
}): boolean {
  return stage.lora === undefined || stage.trainable.join() === '*'
}

const beside = { message: 'with lora only its targets train; leave trainable out', path: ['trainable'] }

const SftStageSchema = z
  .strictObject({ ...stageFields, algorithm: z.literal('sft'), batchSize: count.default(16) })
  .refine(areAdaptersAlone, beside)

const EcgPretrainStageSchema = z.strictObject({
  name: stageFields.name,
  algorithm: z.literal('ecg-pretrain'),
  steps: stageFields.steps,
  epochs: stageFields.epochs,
  learningRate: stageFields.learningRate,
  schedule: stageFields.schedule,
  /** Share of a matrix taken away per step and unit of learning rate. */
  weightDecay: z.number().min(0).default(0.05),
  domains: z.array(z.string()).nonempty().default(['ecg']),
  batchSize: count.default(16),
  /** ECGs per forward pass; default: all of the batch. */
  microbatchSize: count.optional(),
  /** Largest global gradient norm; no limit by default. */
  maxGradientNorm: positive.optional(),
  onNotFinite: stageFields.onNotFinite,
  checkpointEvery: stageFields.checkpointEvery,
  /** Measures the loss on ECGs that do not train, under the same masks every time. */
  validate: Validate.omit({ maxNewTokens: true }).optional(),
  /** How time patches are hidden: one by one, or in blocks. */
  mask: z.enum(['random', 'block']).default('random'),
  /** Least and largest share of the patches that a draw hides. */
  maskScale: z.tuple([z.number().positive().max(1), z.number().positive().max(1)]).default([0.6, 0.7]),
})

const Rollout = z.strictObject({
  temperature: positive.default(1),
  topP: positive.max(1).default(0.99),
  topK: z.int().min(0).default(0),
  maxNewTokens: count.default(128),
})

const klFields = {
  /** β, or what an adaptive one starts from. */
  klCoefficient: z.number().min(0).default(1e-4),
  /** Where the penalty counts: in the loss (paper), or in the reward of every token (PPO of RLHF, REINFORCE++). */
  klIn: z.enum(['loss', 'reward']).default('loss'),
  /** Estimate of the penalty: k3, k3 of at most 10 (public code), k1, |k1| or k2. */
  klEstimator: z.enum(['k3', 'low_var_kl', 'kl', 'abs', 'mse']).default('k3'),
  /** Moves β towards a KL per token; `horizon` counts rollouts (Ziegler et al. 2019). */
  adaptiveKl: z.strictObject({ target: positive, horizon: positive.default(10_000) }).optional(),
}

const groupFields = {
  /** Samples on until a step has `questionsPerStep` groups of unequal reward, at most this many rounds (DAPO). */
  dynamicSampling: z.strictObject({ maxRounds: count.min(2).default(4) }).optional(),
  /** Takes reward from answers in the last `buffer` tokens before the limit, up to `penalty` at it (DAPO). */
  overlong: z.strictObject({ buffer: count, penalty: positive.default(1) }).optional(),
  /** Answers that were cut off at the limit do not train. */
  maskTruncated: z.boolean().default(false),
}

const Critic = z.strictObject({
  learningRate: positive.default(1e-5),
  /** Steps in which the critic learns and the policy waits. */
  warmupSteps: z.int().min(0).default(0),
  /** How far a value may move from what it was when the batch was sampled. */
  clipRange: positive.default(0.5),
})

const PolicyStageSchema = z
  .strictObject({
    ...stageFields,
    algorithm: z.enum(policyAlgorithms),
    /** A registered advantage estimator in place of the algorithm's own (`advantageEstimators.register`). */
    estimator: z.string().optional(),
    /** Questions per step (the paper's rollout batch). */
    questionsPerStep: count.default(8),
    /** Rollouts per question; the paper's G. */
    groupSize: count.default(5),
    /** Passes over a step's rollouts. */
    updateEpochs: count.default(1),
    /** Optimizer updates per pass. */
    minibatches: count.default(1),
    clipRatioLow: fraction.positive().default(policyLossOptionTable.clipRatioLow.default),
    clipRatioHigh: positive.default(policyLossOptionTable.clipRatioHigh.default),
    dualClip: z.number().min(1).optional(),
    ...klFields,
    aggregation: z
      .enum(['sequence-mean-token-mean', 'token-mean', 'sequence-mean-token-sum-norm'])
      .default(policyLossOptionTable.aggregation.default),
    /** What DRPO takes for a domain g: the clinical one (paper), or the dataset (public code). */
    groupBy: z.enum(['domain', 'dataset']).default('domain'),
    /** Options of the advantage estimator, as `qoq advantages --options` takes them. */
    advantage: z.record(z.string(), z.unknown()).default({}),
    ...groupFields,
    /** Settings of PPO's critic. */
    critic: Critic.optional(),
    rollout: Rollout.prefault({}),
    /** Largest difference of a token's log-probability between sampler and trainer. */
    logprobGap: z
      .strictObject({
        /** Above it the step warns. */
        warn: positive.default(1e-3),
        /** Above it the run stops; never when absent. */
        limit: positive.optional(),
        /** Measures it over all minibatches, at the cost of scoring those after the first, or over the first alone. */
        over: z.enum(['all', 'first']).default('all'),
      })
      .prefault({}),
  })
  .refine(areAdaptersAlone, beside)
  .refine(stage => stage.groupSize > 1 || !algorithmOf(stage).comparesAnswers, {
    message: 'this algorithm compares the answers of a question, so it needs two or more',
    path: ['groupSize'],
  })
  .refine(stage => stage.critic === undefined || algorithmOf(stage).hasCritic === true, {
    message: 'only ppo has a critic',
    path: ['critic'],
  })
  .refine(({ dynamicSampling, groupSize }) => dynamicSampling === undefined || groupSize > 1, {
    message: 'a group of one answer is never unequal',
    path: ['dynamicSampling'],
  })
  .refine(({ overlong, rollout }) => overlong === undefined || overlong.buffer <= rollout.maxNewTokens, {
    message: 'it is longer than rollout.maxNewTokens',
    path: ['overlong', 'buffer'],
  })

/** What PPO's critic has where the configuration is silent. */
export const criticDefaults = Critic.parse({})

/** A stage as a configuration writes it: one schema a kind (`stageKinds`). */
export const StageSchema = z.discriminatedUnion('algorithm', [
  SftStageSchema,
  PolicyStageSchema,
  EcgPretrainStageSchema,
])
