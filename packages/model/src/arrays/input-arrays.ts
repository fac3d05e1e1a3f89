import type { PixelPatches, PreparedEcg } from '@qoq-med/encoders'
import type { ModelConfig } from '../checkpoint/model-config.ts'
import type { TensorEntry } from '../checkpoint/safetensors-header.ts'
import { openSafetensors, type SafetensorsFile } from '../checkpoint/safetensors-reader.ts'
import { modelErrors } from '../errors.ts'
import type { BatchArrays } from '../prompt/encoded-arrays.ts'

/** Media arrays of an input file. */
export interface MediaArrays {
  readonly images: readonly PixelPatches[]
  readonly videos: readonly PixelPatches[]
  readonly ecgs: readonly PreparedEcg[]
}

/** Reads the inputs of `qoq model logits`. @throws MODEL_INPUT_INVALID, MODEL_SAFETENSORS_INVALID, MODEL_DTYPE_UNSUPPORTED */
export async function readInputArrays(path: string, config: ModelConfig): Promise<BatchArrays> {
  return withInputs(path, async inputs => {
    const ids = inputs.entry('input_ids')
    if (ids?.shape.length !== 2) throw invalid('input_ids', 'must be there with the shape [B, T]')
    const [batch, length] = ids.shape as [number, number] // rank 2, just checked
    const mask = inputs.entry('attention_mask')
    if (mask && mask.shape.join() !== ids.shape.join())
      throw invalid('attention_mask', 'must have the shape of input_ids')
    const tokenIds = await inputs.file.readInt32(ids)
    const { vocabSize } = config.decoder
    const unknown = tokenIds.find(id => id < 0 || id >= vocabSize)
    if (unknown !== undefined) throw invalid('input_ids', `holds ${unknown}; the vocabulary has ${vocabSize} tokens`)
    const attentionMask = mask && (await inputs.file.readInt32(mask))
    return { batch, length, tokenIds, attentionMask, ...(await mediaOf(inputs, config)) }
  })
}

/** Reads the media of an input file alone: `qoq model embed`. @throws as `readInputArrays` */
export async function readMediaArrays(path: string, config: Pick<ModelConfig, 'vision' | 'ecg'>): Promise<MediaArrays> {
  return withInputs(path, inputs => mediaOf(inputs, config))
}

interface Inputs {
  readonly file: SafetensorsFile
  readonly entry: (name: string) => TensorEntry | undefined
}

async function withInputs<Result>(path: string, read: (inputs: Inputs) => Promise<Result>): Promise<Result> {
  const file = await openSafetensors(path)
  try {
    return await read({ file, entry: name => file.entries.find(each => each.name === name) })
  } finally {
    await file.close()
  }
}

async function mediaOf(inputs: Inputs, config: Pick<ModelConfig, 'vision' | 'ecg'>): Promise<MediaArrays> {
  return {
    images: await patchesOf(inputs, config, 'pixel_values', 'image_grid_thw'),
    videos: await patchesOf(inputs, config, 'pixel_values_videos', 'video_grid_thw'),
    ecgs: await ecgsOf(inputs, config),
  }
}

async function patchesOf(
  { file, entry }: Inputs,
  { vision }: Pick<ModelConfig, 'vision'>,
  pixelsName: string,
  gridName: string,
): Promise<PixelPatches[]> {
  const [pixels, grids] = [entry(pixelsName), entry(gridName)]
  if (pixels === undefined && grids === undefined) return []
  if (!vision) throw modelErrors.MODALITY_UNSUPPORTED({ modality: pixelsName, need: 'it has no vision tower' })
  if (grids?.shape.length !== 2 || grids.shape[1] !== 3) throw invalid(gridName, 'must be there with the shape [n, 3]')
  const width = vision.inChannels * vision.temporalPatchSize * vision.patchSize ** 2
  const ids = await file.readInt32(grids)
  const patches = Array.from({ length: ids.length / 3 }, (_, i) => ids[3 * i]! * ids[3 * i + 1]! * ids[3 * i + 2]!)
  const total = patches.reduce((sum, count) => sum + count, 0)
  if (ids.some(side => side < 1) || pixels?.shape.join() !== `${total},${width}`) {
    throw invalid(pixelsName, `must have the shape [${total}, ${width}] that ${gridName} asks for`)
  }
  const values = await file.readFloat32(pixels)
  let start = 0
  return patches.map((count, i) => {
    const pixelValues = values.subarray(start * width, (start + count) * width)
    start += count
    return { pixelValues, gridThw: [ids[3 * i]!, ids[3 * i + 1]!, ids[3 * i + 2]!] }
  })
}

async function ecgsOf({ file, entry }: Inputs, { ecg }: Pick<ModelConfig, 'ecg'>): Promise<PreparedEcg[]> {
  const signals = entry('ecg')
  if (signals === undefined) return []
  if (!ecg) throw modelErrors.MODALITY_UNSUPPORTED({ modality: 'ecg', need: 'it has no ECG encoder' })
  const { numLeads, numPatches, patchSize } = ecg.encoder
  const samples = numPatches * patchSize
  if (signals.shape.length !== 3 || signals.shape[1] !== numLeads || signals.shape[2] !== samples) {
    throw invalid('ecg', `has the shape [${signals.shape.join(', ')}]; it must be [N, ${numLeads}, ${samples}]`)
  }
  const values = await file.readFloat32(signals)
  const size = numLeads * samples
  return Array.from({ length: signals.shape[0]! }, (_, i) => ({
    signalMv: values.subarray(i * size, (i + 1) * size),
    missingLeads: [],
  }))
}

function invalid(name: string, problem: string): Error {
  return modelErrors.INPUT_INVALID({ name, problem })
}
