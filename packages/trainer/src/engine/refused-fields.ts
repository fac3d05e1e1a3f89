import { estimateAdvantages } from '@qoq-med/core-drpo'
import { algorithmOf } from '../config/algorithms.ts'
import { isPolicyStage, type PolicyStage, type TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import type { ExternalEngine, RefusedField } from './engine.ts'

/**
 * The stage that an engine elsewhere trains.
 *
 * @throws TRAINER_ENGINE_FIELD naming the first field that it has no counterpart for
 */
export function externalStage(engine: ExternalEngine, config: TrainConfig): PolicyStage {
  const [stage, second] = config.stages
  const fail = ({ field, reason }: RefusedField): Error =>
    trainerErrors.ENGINE_FIELD({ engine: engine.name, field, reason })
  if (second) throw fail({ field: 'stages.1', reason: 'trains one stage; run the stages as a configuration each' })
  if (!stage || !isPolicyStage(stage))
    throw fail({ field: 'stages.0.algorithm', reason: 'trains by reinforcement alone' })
  const [refused] = [...commonRefusals(config, stage), ...engine.refused(config, stage)]
  if (refused) throw fail(refused)
  return stage
}

/** What no engine elsewhere has: it is refused by name rather than left out. */
function commonRefusals({ rewards, data, model, keptPictures }: TrainConfig, stage: PolicyStage): RefusedField[] {
  const algorithm = algorithmOf(stage)
  const own =
    typeof rewards === 'object' ? Object.entries(rewards).find(([, one]) => typeof one === 'object') : undefined
  const checks: readonly (readonly [isRefused: boolean, field: string, reason: string])[] = [
    [algorithm.hasCritic === true, 'algorithm', 'has no critic'],
    [algorithm.hasGreedyBaseline === true, 'algorithm', 'samples no answer to compare with'],
    [stage.klIn === 'reward', 'klIn', 'takes the penalty in the loss'],
    [stage.adaptiveKl !== undefined, 'adaptiveKl', 'keeps one coefficient'],
    [stage.klEstimator !== 'k3', 'klEstimator', 'estimates the penalty by k3'],
    [algorithm.readsKl === true && stage.klCoefficient === 0, 'klCoefficient', 'has no reference policy at 0'],
    [keepsState(stage), 'advantage', 'asks for the advantages of a step alone, without a history'],
    [stage.dynamicSampling !== undefined, 'dynamicSampling', 'samples every question once'],
    [stage.overlong !== undefined, 'overlong', 'has no penalty of length'],
    [stage.validate !== undefined, 'validate', 'validates nothing; evaluate its model with `qoq eval`'],
    [stage.lora !== undefined, 'lora', 'trains whole parameters'],
    [stage.onNotFinite === 'skip', 'onNotFinite', 'leaves out no step'],
    [stage.rollout.topK !== 0, 'rollout.topK', 'samples by topP alone'],
  ]
  return [
    ...checks.flatMap(([isRefused, field, reason]) => (isRefused ? [{ field: `stages.0.${field}`, reason }] : [])),
    ...(own ? [{ field: `rewards.${own[0]}`, reason: 'asks a server, which runs no module of yours' }] : []),
    ...(model.weights ? [{ field: 'model.weights', reason: 'loads the checkpoint in its own type' }] : []),
    ...(keptPictures ? [{ field: 'keptPictures', reason: 'keeps none' }] : []),
    ...(data.presentation.ecgWindow === 'jepa'
      ? []
      : [{ field: 'data.presentation.ecgWindow', reason: 'has no ECGs' }]),
  ]
}

/** Whether an estimator hands something on from step to step. */
function keepsState(stage: PolicyStage): boolean {
  const { estimator, readsKl, hasCritic, hasGreedyBaseline } = algorithmOf(stage)
  if (hasCritic || hasGreedyBaseline) return false // refused before
  const batch = {
    rewards: [0, 1, 1, 0],
    questionIds: [0, 0, 1, 1],
    domains: ['a', 'a', 'b', 'b'],
    lengths: [1, 1, 1, 1],
    ...(readsKl && { kl: [0, 0, 0, 0] }),
  }
  return estimateAdvantages(estimator, batch, stage.advantage).state !== undefined
}
