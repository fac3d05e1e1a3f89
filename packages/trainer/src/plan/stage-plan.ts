import type { PolicyModel } from '@qoq-med/model'
import type { Stage } from '../config/run-config.ts'
import { kindOf } from '../stage/stage-kinds.ts'
import type { StageSizes } from '../stage/stage-needs.ts'

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

/** What a stage is planned with. */
export interface PlanInput extends StageSizes {
  readonly samples: number
  readonly flops: number
}

/** Shares of a matrix product's speed that the passes reach: taken from `qoq-nano` on two busy cores; rough, and meant for answers of full length. */
const efficiency = { sampling: 0.15, passes: 0.6 }

/** Says what a stage will take. */
export function planStage(stage: Stage, model: PolicyModel, input: PlanInput): StagePlan {
  const { tokens, parameters, trainable, memoryBytes } = kindOf(stage).needs(stage, model, input)
  const passes = 2 * parameters * (tokens.scored + 3 * tokens.trained)
  const sampling = 2 * parameters * (tokens.sampled + tokens.prefilled)
  const stepSeconds = (passes / efficiency.passes + sampling / efficiency.sampling) / input.flops
  return {
    name: stage.name,
    algorithm: stage.algorithm,
    steps: stage.steps,
    samples: input.samples,
    trainableParameters: trainable,
    sampledTokens: Math.round(tokens.sampled),
    trainedTokens: Math.round(tokens.trained),
    memoryBytes: Math.round(memoryBytes),
    seconds: stage.steps * stepSeconds,
  }
}
