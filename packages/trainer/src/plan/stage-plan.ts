import { loraAdapters, loraParameterSpecs, type PolicyModel } from '@qoq-med/model'
import { sizeOf } from '@qoq-med/tensor'
import { algorithmNamed } from '../config/algorithms.ts'
import {
  isTuned,
  type EcgPretrainStage,
  type PolicyStage,
  type TrainConfig,
  type TunedStage,
} from '../config/run-config.ts'
import { needsReference } from '../stage/policy-stage.ts'
import { isTrainable } from '../config/stage-schedule.ts'

/** What one stage of a run will take, at most: answers are taken to be as long as they may be. */
export interface StagePlan {
  readonly name: string
  readonly algorithm: string
  readonly steps: number
  /** Samples that the stage draws from. */
  readonly samples: number
  readonly trainableParameters: number
  /** Tokens that are sampled, and tokens of forward and backward passes, in one step. */
  readonly sampledTokens: number
  readonly trainedTokens: number
  /** Weights, gradients, moments, reference and critic, and about what the passes hold. */
  readonly memoryBytes: number
  /** About how long the stage takes on this machine. */
  readonly seconds: number
}

/** Tokens of the samples that were looked at. */
export interface StageLengths {
  readonly promptTokens: { readonly mean: number; readonly largest: number }
  readonly referenceTokens: { readonly mean: number; readonly largest: number }
}

/** Counts the parameters of a model whose names count. */
export function parameterCount({ parameters }: PolicyModel, counts: (name: string) => boolean): number {
  return parameters.filter(({ name }) => counts(name)).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

/** What a stage is planned with. */
export interface PlanInput extends StageLengths {
  readonly samples: number
  readonly flops: number
}

/** Tokens of one step, by what is done with them. */
interface StepTokens {
  readonly sampled: number
  /** Prompts that are read before sampling. */
  readonly prefilled: number
  /** Passes forward only: scoring. */
  readonly scored: number
  /** Passes forward and backward. */
  readonly trained: number
  /** Longest sequence. */
  readonly length: number
}

/** Shares of a matrix product's speed that the passes reach: taken from `qoq-nano` on two busy cores; rough, and meant for answers of full length. */
const efficiency = { sampling: 0.15, passes: 0.6 }

/** Says what a stage will take. */
export function planStage(stage: TrainConfig['stages'][number], model: PolicyModel, input: PlanInput): StagePlan {
  const tokens = tokensOf(stage, model, input)
  const parameters = parameterCount(model, isTuned(stage) ? () => true : isEcg)
  const trainable = isTuned(stage) ? trainableCount(stage, model) : parameters
  const passes = 2 * parameters * (tokens.scored + 3 * tokens.trained)
  const sampling = 2 * parameters * (tokens.sampled + tokens.prefilled)
  const stepSeconds = (passes / efficiency.passes + sampling / efficiency.sampling) / input.flops
  const sizes = { parameters, trainable, length: tokens.length }
  return {
    name: stage.name,
    algorithm: stage.algorithm,
    steps: stage.steps,
    samples: input.samples,
    trainableParameters: trainable,
    sampledTokens: Math.round(tokens.sampled),
    trainedTokens: Math.round(tokens.trained),
    // In pre-training a moving average of the encoder, its predictor and their moments: about as much again.
    memoryBytes: Math.round(isTuned(stage) ? stageBytes(stage, model, sizes) : 32 * parameters),
    seconds: stage.steps * stepSeconds,
  }
}

const isEcg = (name: string): boolean => name.startsWith('time_series_embedding.')

function tokensOf(stage: TrainConfig['stages'][number], model: PolicyModel, input: PlanInput): StepTokens {
  if (!isTuned(stage)) return ecgTokens(stage, model)
  return stage.algorithm === 'sft' ? sftTokens(stage.batchSize, input) : policyTokens(stage, input)
}

/** Patches of a batch of recordings. */
function ecgTokens({ batchSize }: EcgPretrainStage, { config }: PolicyModel): StepTokens {
  const { numLeads, numPatches } = config.ecg?.encoder ?? { numLeads: 0, numPatches: 0 }
  const length = numLeads * numPatches
  return { sampled: 0, prefilled: 0, scored: batchSize * length, trained: batchSize * length, length }
}

function sftTokens(batchSize: number, { promptTokens, referenceTokens }: StageLengths): StepTokens {
  const length = promptTokens.largest + referenceTokens.largest
  const trained = batchSize * (promptTokens.mean + referenceTokens.mean)
  return { sampled: 0, prefilled: 0, scored: 0, trained, length }
}

function policyTokens(stage: PolicyStage, { promptTokens }: StageLengths): StepTokens {
  const { questionsPerStep, groupSize, microbatchSize, epochs, rollout, algorithm } = stage
  const { hasCritic, hasGreedyBaseline } = algorithmNamed(algorithm)
  const answers = questionsPerStep * (groupSize + (hasGreedyBaseline ? 1 : 0))
  // The answers of a question share their prompt within a microbatch (`scoreBatch`).
  const prompts = Math.ceil(groupSize / microbatchSize) * promptTokens.mean
  const whole = questionsPerStep * (prompts + groupSize * rollout.maxNewTokens)
  return {
    sampled: answers * rollout.maxNewTokens,
    prefilled: questionsPerStep * promptTokens.mean,
    scored: whole * ((needsReference(stage) ? 1 : 0) + (hasCritic ? 1 : 0)),
    trained: whole * epochs * (hasCritic ? 2 : 1),
    length: promptTokens.largest + rollout.maxNewTokens,
  }
}

function trainableCount(stage: TunedStage, model: PolicyModel): number {
  if (stage.lora) {
    const specs = loraParameterSpecs(loraAdapters(model.parameters, stage.lora))
    return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  }
  const fixed = new Set(model.parameters.filter(spec => !spec.isTrainable).map(({ name }) => name))
  return parameterCount(model, name => !fixed.has(name) && isTrainable(stage, name))
}

/** Everything is float32: four bytes a weight, and as many for its gradient and each of its moments. */
function stageBytes(
  stage: TunedStage,
  model: PolicyModel,
  { parameters, trainable, length }: { parameters: number; trainable: number; length: number },
): number {
  const { hiddenSize, intermediateSize, numLayers, numHeads, vocabSize } = model.config.decoder
  const perLayer = 8 * hiddenSize + 4 * intermediateSize + 2 * numHeads * length
  const activations = 4 * stage.microbatchSize * length * (numLayers * perLayer + 3 * vocabSize)
  const policy = 4 * (parameters + 3 * trainable)
  if (stage.algorithm === 'sft') return policy + activations
  const reference = needsReference(stage) ? 4 * parameters : 0
  const critic = algorithmNamed(stage.algorithm).hasCritic ? 16 * parameters : 0
  return policy + reference + critic + activations
}
