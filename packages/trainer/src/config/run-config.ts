import { clinicDifficulties, domains, sampleForms } from '@qoq-med/data-climb'
import { frozenTypes, modelPresetNames } from '@qoq-med/model'
import { executorDevices, memoryModes } from '@qoq-med/tensor'
import { z } from 'zod'
import type { PolicyAlgorithm } from './algorithms.ts'
import { ClusterSchema, engineNames } from './cluster-fields.ts'
import { brokenFrozenRules } from './frozen-model.ts'
import { runPresetNames } from './presets.ts'
import { SourceSchema } from './source-fields.ts'
import { StageSchema } from './stage-fields.ts'

const count = z.int().positive()

const Presentation = z.strictObject({
  /** What is asked; `{question}` stands for the sample's question. */
  template: z
    .string()
    .refine(text => text.includes('{question}'), 'it has no {question}')
    .default('{question}'),
  /** A clip is one video (paper), or each of its frames a picture (public code). */
  frames: z.enum(['video', 'pictures']).default('video'),
  /** The part of an ECG that is seen: 10 s at 250 Hz (ECG-JEPA), or the first 5 s at 500 Hz (public code). */
  ecgWindow: z.enum(['jepa', 'release']).default('jepa'),
})

/** How a sample becomes a prompt. */
export type Presentation = z.output<typeof Presentation>

const OwnReward = z.strictObject({ weight: z.number().min(0), path: z.string() })

/** A run as it is written in YAML; see `TrainConfig`. */
export const TrainConfigSchema = z
  .strictObject({
    name: z.string().regex(/^[\w-]+$/, 'use letters, digits, _ and -'),
    /** Settings to start from; what is written here stays. */
    preset: z.enum(runPresetNames).optional(),
    seed: z.int().min(0).default(42),
    /** Threads of the engine. */
    threads: count.default(2),
    /**
     * Where training computes: `cpu`, `cuda`, `webgpu`, `coreml` or `dml` of ONNX Runtime, or `tfjs`. On the CPU a run repeats
     * bit for bit.
     */
    device: z.enum(executorDevices).default('cpu'),
    /**
     * What a training step keeps from its forward pass: everything (fast), results of products (saved), or what enters a
     * layer (recompute). The less, the slower and the smaller.
     */
    memory: z.enum(memoryModes).default('fast'),
    /**
     * What trains: this process (`local`, the default), TRL on the devices of this machine (`trl`), or verl on a Ray cluster
     * (`verl`). Rewards and advantages are ours in all of them.
     */
    engine: z.enum(engineNames).optional(),
    /** Where an engine outside this process runs. */
    cluster: ClusterSchema.optional(),
    model: z
      .strictObject({
        /** A size to train from scratch. */
        preset: z.enum(modelPresetNames).optional(),
        /** A checkpoint folder to start from, relative to the configuration file; or `owner/name` of what `qoq model pull` fetched. */
        checkpoint: z.string().optional(),
        /**
         * Keeps the checkpoint frozen, in this type, in files that are mapped: of any size. Only adapters (`lora`) train, and
         * they alone have gradients and moments.
         */
        weights: z.enum(frozenTypes).optional(),
        /** Entries of the tokenizer that a preset trains on the questions and references; default 1500. */
        vocabularySize: z.int().min(300).optional(),
      })
      .refine(model => (model.preset === undefined) !== (model.checkpoint === undefined), {
        message: 'give either preset or checkpoint',
      })
      .refine(model => model.checkpoint === undefined || model.vocabularySize === undefined, {
        message: 'a checkpoint brings its own tokenizer',
        path: ['vocabularySize'],
      })
      .refine(model => model.checkpoint !== undefined || model.weights === undefined, {
        message: 'only a checkpoint is kept frozen',
        path: ['weights'],
      }),
    data: z.strictObject({
      /** A clinic of simulated patients, which is made where it is not there yet; its domains are `mini_clinic_*` sources. */
      clinic: z
        .strictObject({
          /** Relative to the configuration file. */
          dir: z.string(),
          /** Samples over all domains. */
          size: count,
          seed: z.int().min(0).default(42),
          difficulty: z.enum(clinicDifficulties).default('medium'),
          /** Whether samples ask and answer in sentences, or in some 20 tokens. */
          answers: z.enum(sampleForms).default('full'),
          preset: z.enum(['imbalanced', 'balanced']).default('imbalanced'),
          domains: z.array(z.enum(domains)).nonempty().optional(),
        })
        .optional(),
      /** None where the caller of `train` brings the samples. */
      sources: z.array(SourceSchema),
      /**
       * Scales pictures to at most this many pixels (D.1: 524,288); a checkpoint keeps it where it is saved. Default: 12,544
       * for a preset, else what the checkpoint says.
       */
      maxPixels: count.optional(),
      /** Splits whose samples train. */
      splits: z
        .array(z.enum(['train', 'valid', 'test']))
        .nonempty()
        .default(['train']),
      maxPromptTokens: count.default(1024),
      /** Bytes of decoded media that a run holds at most, where no single picture is larger; default 2 GiB. */
      mediaBytes: count.default(2 ** 31),
      /** How a sample becomes a prompt. */
      presentation: Presentation.prefault({}),
      /** How a resumed run tells that its media are the same: by size and time of change of every file, or by its contents. */
      fingerprint: z.enum(['stat', 'hash']).default('stat'),
      /** Share of the samples that sources with `onError: skip` may leave out since they cannot be used; one in any case. */
      maxFailureShare: z.number().min(0).max(1).default(0.05),
    }),
    /**
     * Weights by reward name, or a preset of the rewards package. `{ weight, path }` loads a reward of one's own from a
     * module, whose code runs; the path is relative to the configuration file.
     */
    rewards: z
      .union([z.literal('paper'), z.literal('release'), z.record(z.string(), z.union([z.number().min(0), OwnReward]))])
      .default('paper'),
    /** Checkpoints that are kept, beside the start and the best of the running stage. */
    keep: count.default(2),
    /** Rollouts of each step that samples.jsonl keeps, in whole groups. */
    keptRollouts: z.int().min(0).default(64),
    /** Keeps what they were asked about, too: copies of patients' pictures and ECGs in the run folder. */
    keptPictures: z.boolean().default(false),
    stages: z.array(StageSchema).min(1),
    /** The run folder; relative to the working directory. Default runs/<name>. */
    out: z.string().optional(),
  })
  .superRefine((config, issues) => {
    for (const broken of brokenFrozenRules(config)) issues.addIssue({ code: 'custom', ...broken })
  })
  .superRefine(({ data, stages }, issues) => {
    stages.forEach((stage, i) => {
      if (stage.steps > 0 === (stage.epochs !== undefined)) {
        const message = "give either steps or epochs (passes over a step's rollouts are updateEpochs)"
        issues.addIssue({ code: 'custom', message, path: ['stages', i, 'steps'] })
      }
      const { final = 0 } = stage.schedule
      if (final > stage.learningRate) {
        const message = `the schedule falls from the learning rate, ${stage.learningRate}, to this`
        issues.addIssue({ code: 'custom', message, path: ['stages', i, 'schedule', 'final'] })
      }
      const { validate } = stage
      if (!validate || !data.splits.includes(validate.split)) return
      const message = `data.splits trains on ${validate.split}; validate on what does not train`
      issues.addIssue({ code: 'custom', message, path: ['stages', i, 'validate', 'split'] })
    })
  })

/** A checked configuration with every default filled in. */
export type TrainConfig = z.output<typeof TrainConfigSchema>
/** A stage of any kind. */
export type Stage = TrainConfig['stages'][number]
/** A stage of supervised fine-tuning on reference responses. */
export type SftStage = Extract<Stage, { algorithm: 'sft' }>
/** A stage of reinforcement learning. */
export type PolicyStage = Extract<Stage, { algorithm: PolicyAlgorithm }>
/** A stage of ECG-JEPA's self-supervised training of the ECG encoder. */
export type EcgPretrainStage = Extract<Stage, { algorithm: 'ecg-pretrain' }>
/** A stage that trains the policy to answer. */
export type TunedStage = SftStage | PolicyStage

/** Tells whether a stage is one of reinforcement learning. */
export function isPolicyStage(stage: Stage): stage is PolicyStage {
  return 'groupSize' in stage
}
