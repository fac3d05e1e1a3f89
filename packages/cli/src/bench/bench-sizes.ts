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

/** Sizes of a vision tower as a row gives them, and how the decoder's rotary pairs are divided among time, height and width. */
export const VisionSizes = z.object({
  depth: z.int(),
  hiddenSize: z.int(),
  intermediateSize: z.int(),
  numHeads: z.int(),
  fullattBlockIndexes: z.array(z.int()).readonly(),
  mropeSection: z.tuple([z.int(), z.int(), z.int()]).readonly(),
})

/** Sizes of a vision tower as a row gives them. */
export type VisionSizes = z.output<typeof VisionSizes>

const { depth, hiddenSize, intermediateSize, numHeads, fullattBlockIndexes } = nanoVision(tinySizes.hiddenSize)

/** The vision tower of `qoq-nano`, before a decoder of `tinySizes`. */
export const tinyVision: VisionSizes = {
  depth,
  hiddenSize,
  intermediateSize,
  numHeads,
  fullattBlockIndexes,
  mropeSection: [4, 6, 6],
}
