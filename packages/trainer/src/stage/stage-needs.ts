import { loraAdapters, loraParameterSpecs, type PolicyModel } from '@qoq-med/model'
import { sizeOf } from '@qoq-med/tensor'
import { algorithmOf } from '../config/algorithms.ts'
import type { EcgPretrainStage, PolicyStage, SftStage, TunedStage } from '../config/run-config.ts'
import { isTrainable } from '../config/stage-schedule.ts'
import { tunedBytes, type StageKeeping } from './stage-memory.ts'
import { needsReference } from './needs-reference.ts'

/** Tokens of the samples that were looked at, and how a run keeps its weights and values. */
export interface StageSizes extends StageKeeping {
  readonly promptTokens: { readonly mean: number; readonly largest: number }
  readonly referenceTokens: { readonly mean: number; readonly largest: number }
}

/** Tokens of one step, by what is done with them. */
export interface StepTokens {
  readonly sampled: number
  /** Prompts that are read before sampling. */
  readonly prefilled: number
  /** Passes forward only: scoring. */
  readonly scored: number
  /** Passes forward and backward. */
  readonly trained: number
}

/** What one step of a stage takes, at most: answers are taken to be as long as they may be. */
export interface StageNeeds {
  readonly tokens: StepTokens
  /** Parameters that a token passes. */
  readonly parameters: number
  readonly trainable: number
  /** Weights, gradients, moments, reference and critic, and about what the passes hold. */
  readonly memoryBytes: number
}

/** Counts the parameters of a model whose names count. */
export function parameterCount({ parameters }: PolicyModel, counts: (name: string) => boolean): number {
  return parameters.filter(({ name }) => counts(name)).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

/** What a stage of supervised fine-tuning takes. */
export function sftNeeds(
  stage: SftStage,
  model: PolicyModel,
  { promptTokens, referenceTokens, ...keeping }: StageSizes,
): StageNeeds {
  const trained = stage.batchSize * (promptTokens.mean + referenceTokens.mean)
  const tokens = { sampled: 0, prefilled: 0, scored: 0, trained }
  return { tokens, ...tunedSizes(stage, model, promptTokens.largest + referenceTokens.largest, keeping) }
}

/** What a stage of reinforcement learning takes. */
export function policyNeeds(
  stage: PolicyStage,
  model: PolicyModel,
  { promptTokens, ...keeping }: StageSizes,
): StageNeeds {
  const { questionsPerStep, groupSize, microbatchSize, updateEpochs, rollout } = stage
  const { hasCritic, hasGreedyBaseline } = algorithmOf(stage)
  const answers = questionsPerStep * (groupSize + (hasGreedyBaseline ? 1 : 0))
  // The answers of a question share their prompt within a microbatch (`scoringBatch`).
  const prompts = Math.ceil(groupSize / microbatchSize) * promptTokens.mean
  const whole = questionsPerStep * (prompts + groupSize * rollout.maxNewTokens)
  const sizes = tunedSizes(stage, model, promptTokens.largest + rollout.maxNewTokens, keeping)
  // Over a base on disk the reference is a set of factors.
  const kept = keeping.weights === undefined ? sizes.parameters : sizes.trainable
  const reference = needsReference(stage) ? 4 * kept : 0
  const critic = hasCritic ? 16 * sizes.parameters : 0
  return {
    tokens: {
      sampled: answers * rollout.maxNewTokens,
      prefilled: questionsPerStep * promptTokens.mean,
      scored: whole * ((needsReference(stage) ? 1 : 0) + (hasCritic ? 1 : 0)),
      trained: whole * updateEpochs * (hasCritic ? 2 : 1),
    },
    ...sizes,
    memoryBytes: sizes.memoryBytes + reference + critic,
  }
}

/** What ECG-JEPA's pre-training takes: its tokens are patches of recordings. */
export function ecgNeeds({ batchSize }: EcgPretrainStage, model: PolicyModel): StageNeeds {
  const { numLeads, numPatches } = model.config.ecg?.encoder ?? { numLeads: 0, numPatches: 0 }
  const patches = batchSize * numLeads * numPatches
  const parameters = parameterCount(model, name => name.startsWith('time_series_embedding.'))
  return {
    tokens: { sampled: 0, prefilled: 0, scored: patches, trained: patches },
    parameters,
    trainable: parameters,
    // A moving average of the encoder, its predictor and their moments: about as much again.
    memoryBytes: 32 * parameters,
  }
}

function tunedSizes(
  stage: TunedStage,
  model: PolicyModel,
  length: number,
  { memory, weights }: StageKeeping,
): Omit<StageNeeds, 'tokens'> {
  const [parameters, trainable] = [parameterCount(model, () => true), trainableCount(stage, model)]
  const answers = stage.algorithm !== 'sft' || stage.validate !== undefined
  const sizes = { memory, weights, parameters, trainable, length, answers }
  return { parameters, trainable, memoryBytes: tunedBytes(stage, model, sizes) }
}

function trainableCount(stage: TunedStage, model: PolicyModel): number {
  if (stage.lora) {
    const specs = loraParameterSpecs(loraAdapters(model.parameters, stage.lora))
    return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  }
  const fixed = new Set(model.parameters.filter(spec => !spec.isTrainable).map(({ name }) => name))
  return parameterCount(model, name => !fixed.has(name) && isTrainable(stage, name))
}
