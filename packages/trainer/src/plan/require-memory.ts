import { frozenTypes } from '@qoq-med/model'
import { trainerErrors } from '../errors.ts'
import type { TrainConfig } from '../config/run-config.ts'
import type { StagePlan } from './stage-plan.ts'

/** A change of a configuration that saves memory, as `--set` takes it. */
interface Saving {
  readonly override: string
  readonly apply: (config: TrainConfig) => TrainConfig
}

/**
 * Refuses a run that cannot fit, with the nearest configuration that does: from what costs time alone to what costs exactness.
 *
 * @param plan says what the stages of a configuration take
 * @param available bytes that the run may take
 * @throws TRAINER_MEMORY_SHORT
 */
export function requireRunMemory(
  config: TrainConfig,
  plan: (config: TrainConfig) => readonly StagePlan[],
  available: number,
): void {
  const largest = largestOf(plan(config))
  if (largest.memoryBytes <= available) return
  /** By the field that they change: what comes later stands for what came before. */
  const made = new Map<string, string>()
  let changed = config
  for (const { override, apply } of savings(config)) {
    changed = apply(changed)
    made.set(override.split('=')[0]!, override) // a path before it
    if (largestOf(plan(changed)).memoryBytes <= available) throw short(largest, available, { fits: [...made.values()] })
  }
  throw short(largest, available, { least: largestOf(plan(changed)).memoryBytes })
}

function short(
  { name, memoryBytes }: StagePlan,
  available: number,
  otherwise: { readonly fits?: readonly string[]; readonly least?: number },
): Error {
  return trainerErrors.MEMORY_SHORT({ stage: name, bytes: memoryBytes, available, ...otherwise })
}

function largestOf(stages: readonly StagePlan[]): StagePlan {
  return stages.reduce((largest, stage) => (stage.memoryBytes > largest.memoryBytes ? stage : largest))
}

/** What saves memory, in the order in which it is tried; each stays. */
function savings(config: TrainConfig): Saving[] {
  const { model, stages } = config
  const memory: Saving = { override: 'memory=recompute', apply: its => ({ ...its, memory: 'recompute' }) }
  const microbatches = stages.flatMap((stage, i): Saving[] =>
    stage.microbatchSize === undefined || stage.microbatchSize === 1
      ? []
      : [{ override: `stages.${i}.microbatchSize=1`, apply: its => withStage(its, i, { microbatchSize: 1 }) }],
  )
  const areTuned = stages.every(stage => stage.algorithm !== 'ecg-pretrain' && stage.algorithm !== 'ppo')
  const mayFreeze = model.checkpoint !== undefined && config.device === 'cpu' && areTuned
  const adapters = stages.flatMap((stage, i): Saving[] =>
    !mayFreeze || ('lora' in stage && stage.lora)
      ? []
      : [
          {
            override: `stages.${i}.lora={rank: 16, alpha: 32}`,
            apply: its => withStage(its, i, { lora, trainable: ['*'] }),
          },
        ],
  )
  // Only what is smaller than what is asked for.
  const types = mayFreeze
    ? frozenTypes.slice(frozenTypes.findIndex(each => each === (model.weights ?? 'float32')) + 1)
    : []
  const frozen = types.map((weights): Saving => {
    return { override: `model.weights=${weights}`, apply: its => ({ ...its, model: { ...its.model, weights } }) }
  })
  return [...(config.memory === 'recompute' ? [] : [memory]), ...microbatches, ...adapters, ...frozen]
}

const lora = { rank: 16, alpha: 32, dropout: 0, targets: ['model.layers.*'] }

function withStage(config: TrainConfig, at: number, fields: object): TrainConfig {
  const stages = config.stages.map((stage, i) => (i === at ? { ...stage, ...fields } : stage))
  return { ...config, stages }
}
