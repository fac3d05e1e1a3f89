import type { SampleSelection } from '@qoq-med/data-climb'
import type { Policy } from '@qoq-med/model'
import type { PolicyStage } from '../config/run-config.ts'
import type { AnswerModel } from '../learn/answer-model.ts'
import type { Learner } from '../learn/learner.ts'
import type { PromptSource } from '../run/prompts.ts'
import type { Run } from '../run/run.ts'
import type { WeightLookup } from '../run/trained-weights.ts'

/** What the steps of a reinforcement stage work with. */
export interface PolicyParts {
  readonly run: Run
  readonly stage: PolicyStage
  readonly stageIndex: number
  readonly samples: SampleSelection
  /** Prompts with their media, for as long as a pass over them takes. */
  readonly prompts: PromptSource
  readonly answers: AnswerModel
  /** Answers with the weights that the learner trains. */
  readonly policy: Policy
  readonly learner: Learner
  /** Weights of the frozen reference policy; absent where nothing compares with it. */
  readonly referenceWeights?: WeightLookup | undefined
  /** PPO's critic. */
  readonly critic?: Learner | undefined
}
