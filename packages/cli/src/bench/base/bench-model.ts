import { defaultImageProcessor, nanoVision } from '@qoq-med/encoders'
import {
  createPolicyModel,
  initialiseModel,
  nanoModel,
  trainTokenizer,
  type DecoderConfig,
  type Encoded,
  type PolicyModel,
  type Tokenizer,
  type WeightedModel,
} from '@qoq-med/model'
import type { DecoderSizes, PictureSizes } from './bench-sizes.ts'

/**
 * A model of these sizes with random weights; no token ends an answer, so that all have the length that is asked for.
 *
 * @param pictures for a model that sees pictures; the text model of the sizes without
 */
export function randomModel(sizes: DecoderSizes, pictures?: PictureSizes): WeightedModel {
  const model = pictures ? pictureModel(sizes, pictures) : textModel(sizes)
  return initialiseModel({ ...model, endTokenIds: new Set() }, 1)
}

function benchTokenizer(): Tokenizer {
  return trainTokenizer(['The answer is Normal.'], { vocabSize: 300, minFrequency: 1 })
}

function decoderOf(sizes: DecoderSizes): DecoderConfig {
  return {
    ...sizes,
    headDim: sizes.hiddenSize / sizes.numHeads,
    rmsNormEpsilon: 1e-6,
    ropeTheta: 10_000,
    tieWordEmbeddings: true,
    maxPositions: 2048,
    initializerRange: 0.02,
  }
}

function textModel(sizes: DecoderSizes): PolicyModel {
  const family = sizes.attentionBias ? 'qwen2' : 'llama'
  const config = { family, decoder: decoderOf(sizes), tokenIds: { endOfSequence: [] } } as const
  return createPolicyModel({ name: 'random', config, tokenizer: benchTokenizer() })
}

/** The architecture of `qoq-nano` at other sizes, without its ECG encoder, whose weights a peer does not have. */
function pictureModel(sizes: DecoderSizes, { edge, tower, mropeSection }: PictureSizes): PolicyModel {
  const tokenizer = benchTokenizer()
  const { config } = nanoModel(tokenizer, { decoder: { ...decoderOf(sizes), mropeSection } })
  const { ecg: _, ...seeing } = config
  const pixels = edge * edge
  return createPolicyModel({
    name: 'random',
    config: {
      ...seeing,
      vision: { ...nanoVision(sizes.hiddenSize), ...tower },
      tokenIds: { ...config.tokenIds, endOfSequence: [] },
    },
    tokenizer,
    imageProcessor: { ...defaultImageProcessor, minPixels: pixels, maxPixels: pixels },
  })
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
