import assert from 'node:assert/strict'
import { modelPlace, type SampleSelection } from '@qoq-med/data-climb'
import {
  initialiseModel,
  loadModel,
  openFrozenBase,
  openModel,
  presetModel,
  trainTokenizer,
  type FrozenBase,
  type PolicyModel,
  type WeightedModel,
} from '@qoq-med/model'
import type { TrainConfig } from '../config/run-config.ts'
import type { WeightLookup } from './trained-weights.ts'

/** What a preset has where the configuration is silent. */
const defaults = { vocabularySize: 1500, maxPixels: 12_544 }

/**
 * The model a run starts from: a checkpoint, or a preset with random weights whose tokenizer is trained on the questions
 * and reference responses.
 *
 * @throws the MODEL errors of `loadModel` and `openFrozenBase`, and what `modelPlace` throws
 */
export async function startModel(
  config: TrainConfig,
  samples: SampleSelection,
  baseFolder: string,
): Promise<StartModel> {
  const { model, data, seed } = config
  if (model.checkpoint === undefined) return inMemory(initialiseModel(await modelOfPreset(config, samples), seed))
  const [folder, { maxPixels }] = [await modelPlace(model.checkpoint, { base: baseFolder }), data]
  if (model.weights === undefined) return inMemory(await loadModel(folder, { maxPixels }))
  const base = await openFrozenBase(folder, { weightsType: model.weights, maxPixels })
  return { model: base.model, weights: onDisk, base }
}

/** A model and where its weights are. */
export interface StartModel {
  readonly model: PolicyModel
  /** Its weights in memory; none of a base on disk. */
  readonly weights: WeightLookup
  readonly base?: FrozenBase
}

/** Nothing asks for a weight of a base on disk by its name. */
const onDisk: WeightLookup = name => assert.fail(`${name} is not in memory`)

function inMemory({ model, store }: WeightedModel): StartModel {
  return { model, weights: name => store.weights(name) }
}

/** The model a run starts from, without its weights. @throws the MODEL errors of `openModel` */
export async function describeModel(
  config: TrainConfig,
  samples: SampleSelection,
  baseFolder: string,
): Promise<PolicyModel> {
  const { checkpoint } = config.model
  if (checkpoint === undefined) return modelOfPreset(config, samples)
  const opened = await openModel(await modelPlace(checkpoint, { base: baseFolder }), {
    maxPixels: config.data.maxPixels,
  })
  await opened.close()
  return opened.model
}

/** Samples whose words a tokenizer is trained on: of more, that many spread over them. */
const tokenizerSamples = 20_000

async function modelOfPreset({ model, data }: TrainConfig, samples: SampleSelection): Promise<PolicyModel> {
  const count = Math.min(samples.length, tokenizerSamples)
  const places = Array.from({ length: count }, (_, i) => Math.floor((i * samples.length) / count))
  const corpus = (await samples.read(places)).flatMap(({ question, reference }) => [question, reference()])
  const tokenizer = trainTokenizer(corpus, { vocabSize: model.vocabularySize ?? defaults.vocabularySize })
  return presetModel(model.preset ?? 'qoq-nano', tokenizer, {
    images: { maxPixels: data.maxPixels ?? defaults.maxPixels },
  })
}
