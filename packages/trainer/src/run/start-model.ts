import { resolve } from 'node:path'
import type { Sample } from '@qoq-med/data-climb'
import {
  initialiseModel,
  loadModel,
  nanoModel,
  openModel,
  trainTokenizer,
  type PolicyModel,
  type WeightedModel,
} from '@qoq-med/model'
import type { TrainConfig } from '../config/run-config.ts'

/** What a preset has where the configuration is silent. */
const defaults = { vocabularySize: 1500, maxPixels: 12_544 }

/**
 * The model a run starts from: a checkpoint, or a preset with random weights whose tokenizer is trained on the questions
 * and reference responses.
 *
 * @throws the MODEL errors of `loadModel`
 */
export function startModel(
  config: TrainConfig,
  samples: readonly Sample[],
  baseFolder: string,
): Promise<WeightedModel> | WeightedModel {
  const { model, seed } = config
  if (model.checkpoint !== undefined) return loadModel(resolve(baseFolder, model.checkpoint))
  return initialiseModel(presetModel(config, samples), seed)
}

/** The model a run starts from, without its weights. @throws the MODEL errors of `openModel` */
export async function describeModel(
  config: TrainConfig,
  samples: readonly Sample[],
  baseFolder: string,
): Promise<PolicyModel> {
  const { checkpoint } = config.model
  if (checkpoint === undefined) return presetModel(config, samples)
  const opened = await openModel(resolve(baseFolder, checkpoint))
  await opened.close()
  return opened.model
}

function presetModel({ model, data }: TrainConfig, samples: readonly Sample[]): PolicyModel {
  const corpus = samples.flatMap(({ question, reference }) => [question, reference()])
  const tokenizer = trainTokenizer(corpus, { vocabSize: model.vocabularySize ?? defaults.vocabularySize })
  return nanoModel(tokenizer, { images: { maxPixels: data.maxPixels ?? defaults.maxPixels } })
}
