import type { ImageProcessorConfig } from '@qoq-med/encoders'
import { parsedDocument, type DocumentName, type ModelDocuments } from '../checkpoint/model-documents.ts'
import { imageProcessorDocument } from '../checkpoint/preprocessor-config.ts'
import { modelErrors } from '../errors.ts'

/** A folder's small files, and how it prepares pictures. */
export interface PictureLimit {
  readonly documents: ModelDocuments
  readonly imageProcessor: ImageProcessorConfig
}

/**
 * Limits the pixels of pictures, in the config of the image processor and wherever a folder writes it down.
 *
 * @throws MODEL_CONFIG_INVALID for a limit below the least number of pixels
 */
export function withMaxPixels(
  { documents, imageProcessor }: PictureLimit,
  maxPixels: number,
  folder: string,
): PictureLimit {
  const { minPixels } = imageProcessor
  if (maxPixels < minPixels) {
    const problem = `is ${maxPixels}, below min_pixels, ${minPixels}`
    throw modelErrors.CONFIG_INVALID({ file: folder, field: 'max_pixels', problem })
  }
  const limited = { ...imageProcessor, maxPixels }
  const own = parsedDocument(documents, 'preprocessor_config.json', folder) as Json | undefined // a parsed object
  const processor = parsedDocument(documents, 'processor_config.json', folder) as Json | undefined // a parsed object
  const nested = processor?.['image_processor']
  const changed = new Map(documents)
  const write = (name: DocumentName, json: Json): void =>
    void changed.set(name, `${JSON.stringify(json, undefined, 2)}\n`)
  if (processor && isJson(nested))
    write('processor_config.json', { ...processor, image_processor: limit(nested, maxPixels) })
  if (own) write('preprocessor_config.json', limit(own, maxPixels))
  else if (documents.size > 0 && !isJson(nested)) write('preprocessor_config.json', imageProcessorDocument(limited))
  return { documents: changed, imageProcessor: limited }
}

type Json = Record<string, unknown>

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The limit by both of its names, where a config has the second. */
function limit(json: Json, maxPixels: number): Json {
  const { size } = json
  return {
    ...json,
    max_pixels: maxPixels,
    ...(isJson(size) && { size: { ...size, longest_edge: maxPixels } }),
  }
}
