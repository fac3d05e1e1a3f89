import { join } from 'node:path'
import {
  initialFactors,
  loadAdapter,
  loadModel,
  loraAdapters,
  loraParameterSpecs,
  type FrozenBase,
  type LoraOptions,
  type PolicyModel,
} from '@qoq-med/model'
import { createParameterStore } from '@qoq-med/tensor'
import { createAdaptation, createFrozenAdaptation } from '../learn/adaptation.ts'
import { adapterFolder, startCheckpoint, type Checkpoint } from './checkpoint.ts'
import type { TrainConfig, TunedStage } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { mixSeed } from '../config/mix-seed.ts'
import { isTrainable } from '../config/stage-schedule.ts'
import type { StageWeights, WeightLookup } from './trained-weights.ts'

/** Where a stage's weights come from. */
export interface StageStart {
  readonly config: TrainConfig
  readonly stage: TunedStage
  readonly stageIndex: number
  readonly model: PolicyModel
  /** The model on disk, where it stays frozen there. */
  readonly base?: FrozenBase | undefined
  /** The weights that the stage before left; over a base on disk its factors. */
  readonly before: WeightLookup
  /** A checkpoint of this stage to go on from. */
  readonly resumed: Checkpoint | undefined
}

/** A store whose gradients are those of the stage's trainable parameters, with the weights the stage goes on from. */
export async function stageWeights(start: StageStart): Promise<StageWeights> {
  const { stage, base } = start
  if (stage.lora !== undefined) return base ? frozenWeights(start, stage.lora, base) : adaptedWeights(start, stage.lora)
  const { model, before, resumed } = start
  const trainable = (name: string): boolean => isTrainable(stage, name)
  const store = resumed
    ? (await loadModel(join(resumed.folder, 'model'), { trainable })).store
    : filledStore(model, before, trainable)
  return { store, weights: name => store.weights(name) }
}

function filledStore({ parameters }: PolicyModel, before: WeightLookup, trainable: (name: string) => boolean) {
  const fixed = new Set(parameters.filter(spec => !spec.isTrainable).map(spec => spec.name))
  const store = createParameterStore(parameters, { trainable: name => !fixed.has(name) && trainable(name) })
  for (const { name } of store.parameters) store.weights(name).set(before(name))
  return store
}

/** The base is frozen: only factors have gradients and moments. */
async function adaptedWeights(start: StageStart, options: LoraOptions): Promise<StageWeights> {
  const { config, stageIndex, model, resumed } = start
  const adapters = loraAdapters(model.parameters, options)
  const specs = loraParameterSpecs(adapters)
  const factors = new Set(specs.map(({ name }) => name))
  const store = createParameterStore([...model.parameters, ...specs], { trainable: name => factors.has(name) })
  const base = resumed ? await baseOf(resumed) : start.before
  for (const { name } of model.parameters) store.weights(name).set(base(name))
  const seed = mixSeed(config.seed, stageIndex)
  const { weights } = resumed ? await loadAdapter(adapterFolder(resumed), model) : initialFactors(adapters, seed)
  for (const name of factors) store.weights(name).set(weights(name))
  const adaptation = createAdaptation(adapters, store, seed)
  return { store, weights: adaptation.weights, adaptation }
}

/** The base is frozen on disk: the store has factors alone, drawn, or as the stage before left them. */
async function frozenWeights(start: StageStart, options: LoraOptions, base: FrozenBase): Promise<StageWeights> {
  const { config, stageIndex, model, resumed, before } = start
  const adapters = loraAdapters(model.parameters, options)
  const store = createParameterStore(loraParameterSpecs(adapters))
  const seed = mixSeed(config.seed, stageIndex)
  const drawn = (): WeightLookup => (stageIndex === 0 ? initialFactors(adapters, seed).weights : before)
  const factors = resumed ? (await loadAdapter(adapterFolder(resumed), model)).weights : drawn()
  for (const { name } of store.parameters) store.weights(name).set(factors(name))
  const adaptation = createFrozenAdaptation(adapters, store, { base, seed })
  return { store, weights: adaptation.weights, adaptation, base }
}

/** A checkpoint holds the merged model; the base is that of the stage's first one, whose factors B are zero. */
async function baseOf(resumed: Checkpoint): Promise<WeightLookup> {
  const first = startCheckpoint(resumed)
  const { store } = await loadModel(join(first, 'model'), { trainable: () => false }).catch((cause: unknown) => {
    const reason = `the base of its adapters cannot be read from ${first}`
    throw trainerErrors.CHECKPOINT({ folder: resumed.folder, reason }, { cause })
  })
  return name => store.weights(name)
}
