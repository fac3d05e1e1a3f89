import type { DecoderConfig } from '@qoq-med/model'

/** A model and a batch to time a training step with: every token but the first of a sequence is trained on. */
export interface StepShape {
  readonly decoder: DecoderConfig
  readonly batch: number
  readonly length: number
}

/** The shapes of the targets table. The Python twin has the same (tooling/peers/train_step.py). */
export const stepShapes = {
  /** 4,096 tokens through 5 million parameters. */
  tiny: {
    batch: 32,
    length: 128,
    decoder: {
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
      initializerRange: 0.02,
    },
  },
  /** 1,024 tokens through the shapes of SmolLM2-135M. */
  smollm2: {
    batch: 4,
    length: 256,
    decoder: {
      hiddenSize: 576,
      intermediateSize: 1536,
      numLayers: 30,
      numHeads: 9,
      numKvHeads: 3,
      headDim: 64,
      vocabSize: 49_152,
      rmsNormEpsilon: 1e-5,
      ropeTheta: 100_000,
      tieWordEmbeddings: true,
      attentionBias: false,
      maxPositions: 8192,
      initializerRange: 0.04,
    },
  },
} as const satisfies Record<string, StepShape>
