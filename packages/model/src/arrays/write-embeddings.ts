import { ecgBatch } from '@qoq-med/encoders'
import { writeSafetensors, type TensorToWrite } from '../checkpoint/safetensors-writer.ts'
import { readMediaArrays } from './input-arrays.ts'
import type { LocalPolicy } from '../policy/local-policy.ts'

/** Files of `writeEmbeddings`, both safetensors. */
export interface WriteEmbeddingsOptions {
  /** `pixel_values` with `image_grid_thw`, `pixel_values_videos` with `video_grid_thw`, `ecg` [N, leads, samples]: any of them. */
  readonly inputs: string
  /** Becomes `image_embeds` and `video_embeds` [tokens, D], and `ecg_embeds` [N, patches, D]. */
  readonly out: string
}

/**
 * Runs the encoders of a model alone: `qoq model embed`. ECG tokens are in the space of the language model like the
 * others, one per patch: before pooling.
 *
 * @throws MODEL_INPUT_INVALID, MODEL_MODALITY_UNSUPPORTED, MODEL_SAFETENSORS_INVALID, MODEL_DTYPE_UNSUPPORTED
 */
export async function writeEmbeddings(policy: LocalPolicy, { inputs, out }: WriteEmbeddingsOptions): Promise<void> {
  const { config, encoders } = policy.model
  const { images, videos, ecgs } = await readMediaArrays(inputs, config)
  const width = config.decoder.hiddenSize
  const tensors: TensorToWrite[] = []
  for (const [name, patches] of [['image_embeds', images] as const, ['video_embeds', videos] as const]) {
    const { vision } = encoders
    if (!vision || patches.length === 0) continue
    const embedded = await policy.embed(vision.batch(patches))
    const tokens = patches.reduce((sum, item) => sum + vision.tokens(item), 0)
    // Behind the tokens may be padding.
    tensors.push({ name, shape: [tokens, width], data: embedded.slice(0, tokens * width) })
  }
  if (config.ecg && ecgs.length > 0) {
    const batch = ecgBatch({ config: config.ecg.encoder, pooling: 'patches' }, ecgs)
    const shape = [ecgs.length, batch.rows / ecgs.length, width]
    tensors.push({ name: 'ecg_embeds', shape, data: await policy.embed(batch) })
  }
  await writeSafetensors(out, tensors)
}
