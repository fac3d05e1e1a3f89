import {
  createPolicyModel,
  initialiseModel,
  trainTokenizer,
  type DecoderConfig,
  type Encoded,
  type PolicyModel,
  type WeightedModel,
} from '@qoq-med/model'
import type { DecoderSizes } from './bench-sizes.ts'

/** A decoder of these sizes with random weights; no token ends an answer, so that all have the length that is asked for. */
export function randomModel(sizes: DecoderSizes): WeightedModel {
  return initialiseModel(randomPolicy(sizes), 1)
}

function randomPolicy(sizes: DecoderSizes): PolicyModel {
  const decoder: DecoderConfig = {
    ...sizes,
    headDim: sizes.hiddenSize / sizes.numHeads,
    rmsNormEpsilon: 1e-6,
    ropeTheta: 10_000,
    tieWordEmbeddings: true,
    maxPositions: 2048,
    initializerRange: 0.02,
  }
  const tokenizer = trainTokenizer(['The answer is Normal.'], { vocabSize: 300, minFrequency: 1 })
  const family = sizes.attentionBias ? 'qwen2' : 'llama'
  const model = createPolicyModel({
    name: 'random',
    config: { family, decoder, tokenIds: { endOfSequence: [] } },
    tokenizer,
  })
  return { ...model, endTokenIds: new Set() }
}

/** A prompt of text tokens without media. */
export function textPrompt(tokenIds: Int32Array): Encoded {
  const length = tokenIds.length
  return {
    tokenIds,
    positionIds: Int32Array.from({ length: 3 * length }, (_, i) => i % length),
    ropeDelta: 0,
    vision: [],
    ecgs: [],
    visionPositions: new Int32Array(0),
    ecgPositions: new Int32Array(0),
  }
}

/** Token `at` of sequence `sequence`: some number of the vocabulary, the same in every run and for the peer. */
export function tokenAt(sequence: number, at: number, vocabSize: number): number {
  return 3 + ((sequence * 977 + at * 131) % (vocabSize - 3))
}
