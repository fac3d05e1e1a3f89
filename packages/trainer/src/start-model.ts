import { resolve } from 'node:path'
import type { Sample } from '@qoq-med/data-climb'
import { initialiseModel, loadModel, nanoModel, trainTokenizer, type WeightedModel } from '@qoq-med/model'
import type { TrainConfig } from './config.ts'

/** What a preset has where the configuration is silent. */
const defaults = { vocabularySize: 1500, maxPixels: 12_544 }

/**
 * The model a run starts from: a checkpoint, or a preset with random weights whose tokenizer is trained on the questions
 * and reference responses.
 *
 * @throws the MODEL errors of `loadModel`
 */
export function startModel(
  { model, seed, data }: TrainConfig,
  samples: readonly Sample[],
  baseFolder: string,
): Promise<WeightedModel> | WeightedModel {
  if (model.checkpoint !== undefined) return loadModel(resolve(baseFolder, model.checkpoint))
  const corpus = samples.flatMap(({ question, reference }) => [question, reference])
  const tokenizer = trainTokenizer(corpus, { vocabSize: model.vocabularySize ?? defaults.vocabularySize })
  return initialiseModel(nanoModel(tokenizer, { images: { maxPixels: data.maxPixels ?? defaults.maxPixels } }), seed)
}
