import { createPolicyModel, initialiseModel, loadFrozenModel, trainTokenizer, type FrozenModel } from '../src/index.ts'
import type { DecoderConfig } from '../src/checkpoint/decoder-config.ts'

/** Sizes of TINY, the smallest shape of the targets: 5 million parameters with biases on q, k, v. */
export const tinyDecoder: DecoderConfig = {
  hiddenSize: 256,
  intermediateSize: 768,
  numLayers: 6,
  numHeads: 8,
  numKvHeads: 4,
  headDim: 32,
  vocabSize: 2048,
  rmsNormEpsilon: 1e-6,
  ropeTheta: 10_000,
  tieWordEmbeddings: true,
  attentionBias: true,
  maxPositions: 2048,
  initializerRange: 0.04,
}

/** TINY with random weights, or a model from a folder or a GGUF file. No token ends an answer: all have the same length. */
export async function benchModel(name: string): Promise<FrozenModel> {
  const { model, weights } = name === 'tiny' ? tinyModel() : await loadFrozenModel(name)
  return { model: { ...model, endTokenIds: new Set() }, weights }
}

function tinyModel(): FrozenModel {
  const tokenizer = trainTokenizer(['The answer is Normal.'], { vocabSize: 300, minFrequency: 1 })
  const config = { family: 'qwen2', decoder: tinyDecoder, tokenIds: { endOfSequence: [] } } as const
  const { model, store } = initialiseModel(createPolicyModel({ name: 'tiny', config, tokenizer }), 1)
  return { model, weights: name => store.weights(name) }
}
