import { nanoVision } from '@qoq-med/encoders'
import { z } from 'zod'

/** Sizes of a decoder as a row gives them, to ours and to the peer alike. */
export const DecoderSizes = z.object({
  hiddenSize: z.int(),
  intermediateSize: z.int(),
  numLayers: z.int(),
  numHeads: z.int(),
  numKvHeads: z.int(),
  vocabSize: z.int(),
  attentionBias: z.boolean(),
})

/** Sizes of a decoder as a row gives them. */
export type DecoderSizes = z.output<typeof DecoderSizes>

/** The smallest sizes of the targets: 5 million parameters. */
export const tinySizes: DecoderSizes = {
  hiddenSize: 256,
  intermediateSize: 768,
  numLayers: 6,
  numHeads: 8,
  numKvHeads: 4,
  vocabSize: 2048,
  attentionBias: true,
}

/** The sizes of SmolLM2-135M. */
export const smolSizes: DecoderSizes = {
  hiddenSize: 576,
  intermediateSize: 1536,
  numLayers: 30,
  numHeads: 9,
  numKvHeads: 3,
  vocabSize: 49_152,
  attentionBias: false,
}

/** What makes a model one for pictures. */
export const PictureSizes = z.object({
  /** The edge of the square pictures that it sees, in pixels. */
  edge: z.int(),
  /** Its vision tower. */
  tower: z.object({
    depth: z.int(),
    hiddenSize: z.int(),
    intermediateSize: z.int(),
    numHeads: z.int(),
    fullattBlockIndexes: z.array(z.int()).readonly(),
  }),
  /** How the decoder's rotary pairs are divided among time, height and width. */
  mropeSection: z.tuple([z.int(), z.int(), z.int()]).readonly(),
})

/** What makes a model one for pictures. */
export type PictureSizes = z.output<typeof PictureSizes>

const { depth, hiddenSize, intermediateSize, numHeads, fullattBlockIndexes } = nanoVision(tinySizes.hiddenSize)

/** The vision tower of `qoq-nano`, before a decoder of `tinySizes`, and pictures of 64 tokens. */
export const tinyPictures: PictureSizes = {
  edge: 224,
  tower: { depth, hiddenSize, intermediateSize, numHeads, fullattBlockIndexes },
  mropeSection: [4, 6, 6],
}
