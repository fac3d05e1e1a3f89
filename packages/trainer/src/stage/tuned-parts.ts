import { LocalPolicy, loraAdapters, type FrozenBase, type PolicyModel } from '@qoq-med/model'
import type { Executor, OrtExecutor } from '@qoq-med/tensor'
import type { TunedStage } from '../config/run-config.ts'
import { requireTrainable } from '../config/stage-schedule.ts'
import type { AnswerModel } from '../learn/answer-model.ts'
import { createLearner, type Learner } from '../learn/learner.ts'
import { loadOptimizer } from '../run/checkpoint.ts'
import type { Run } from '../run/run.ts'
import { stageWeights } from '../run/stage-weights.ts'
import type { StageWeights } from '../run/trained-weights.ts'
import type { StageStart } from './stage-kind.ts'

/** What a stage that trains the policy to answer works with. */
export interface TunedParts {
  readonly trained: StageWeights
  readonly answers: AnswerModel
  readonly learner: Learner
  /** Answers with the weights that the learner trains. */
  readonly policy: LocalPolicy
}

/** Makes the weights, the learner and the policy of a stage. @param temperature that log-probabilities are taken at */
export async function startTuned(
  { config, model, base, executor, debug }: Run,
  start: StageStart<TunedStage>,
  temperature: number,
): Promise<TunedParts> {
  const { weightDecay, maxGradientNorm } = start.stage
  const trained = await stageWeights({ config, model, base, ...start })
  const { adaptation, weights, store } = trained
  const options = { adaptation, debug, memory: config.memory, weightDecay, maxGradientNorm }
  const learner = createLearner(executor, store, options)
  if (start.resumed) learner.restoreOptimizer(await loadOptimizer(start.resumed))
  return {
    trained,
    answers: { decoder: model.config.decoder, encoders: model.encoders, temperature },
    learner,
    policy: base
      ? adaptedPolicy(base, trained, { executor, version: () => learner.updates })
      : new LocalPolicy({ model, executor, weights, weightsVersion: () => learner.updates }),
  }
}

/** Answers over a base on disk with the adapters that train. */
function adaptedPolicy(
  { packed }: FrozenBase,
  { adaptation, weights }: StageWeights,
  { executor, version }: { readonly executor: Executor; readonly version: () => number },
): LocalPolicy {
  const { adapters } = adaptation! // a stage over a base on disk has some
  return new LocalPolicy({
    packed,
    executor: executor as OrtExecutor, // the configuration allows the CPU alone
    adapters: { adapters, factors: weights, version },
  })
}

/** Checks that adapters and patterns of a stage meet parameters. @throws TRAINER_CONFIG_FIELD, MODEL_LORA_INVALID */
export function checkTuned(stage: TunedStage, { parameters }: PolicyModel, field: string): void {
  requireTrainable(stage, parameters, field)
  if (stage.lora) loraAdapters(parameters, stage.lora)
}
