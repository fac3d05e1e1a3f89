import { defaultImageProcessor, type ImageProcessorConfig } from '@qoq-med/encoders'
import { z } from 'zod'
import { parseConfig } from '../decoder/decoder-config.ts'

const side = z.int().positive().max(1024)
const pixels = z.int().positive()
const triple = z.tuple([z.number(), z.number(), z.number()])
const PreprocessorJson = z.looseObject({
  patch_size: side.default(defaultImageProcessor.patchSize),
  merge_size: side.default(defaultImageProcessor.mergeSize),
  temporal_patch_size: side.default(defaultImageProcessor.temporalPatchSize),
  image_mean: triple.default([...defaultImageProcessor.imageMean]),
  image_std: triple.default([...defaultImageProcessor.imageStd]),
  min_pixels: pixels.nullish(),
  max_pixels: pixels.nullish(),
  size: z.looseObject({ shortest_edge: pixels.optional(), longest_edge: pixels.optional() }).nullish(),
})

/**
 * Reads a preprocessor_config.json. The pixel limits stand in `min_pixels` and `max_pixels`, or in `size` as
 * `shortest_edge` and `longest_edge` (numbers of pixels in spite of their names).
 *
 * @throws MODEL_CONFIG_INVALID
 */
export function imageProcessorConfig(json: unknown, file = 'preprocessor_config.json'): ImageProcessorConfig {
  const config = parseConfig(PreprocessorJson, json, file)
  return {
    patchSize: config.patch_size,
    mergeSize: config.merge_size,
    temporalPatchSize: config.temporal_patch_size,
    imageMean: config.image_mean,
    imageStd: config.image_std,
    minPixels: config.min_pixels ?? config.size?.shortest_edge ?? defaultImageProcessor.minPixels,
    maxPixels: config.max_pixels ?? config.size?.longest_edge ?? defaultImageProcessor.maxPixels,
  }
}

/** Writes a preprocessor_config.json as transformers reads it. */
export function imageProcessorDocument(config: ImageProcessorConfig): Record<string, unknown> {
  return {
    do_convert_rgb: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: config.imageMean,
    image_processor_type: 'Qwen2VLImageProcessor',
    image_std: config.imageStd,
    max_pixels: config.maxPixels,
    merge_size: config.mergeSize,
    min_pixels: config.minPixels,
    patch_size: config.patchSize,
    processor_class: 'Qwen2_5_VLProcessor',
    resample: 3,
    rescale_factor: 1 / 255,
    temporal_patch_size: config.temporalPatchSize,
  }
}
