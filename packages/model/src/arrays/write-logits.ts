import { writeSafetensors, type TensorToWrite } from '../checkpoint/safetensors-writer.ts'
import { encodedRows, type EncodedRow, type PlaceholderMeaning } from '../prompt/encoded-arrays.ts'
import { readInputArrays } from './input-arrays.ts'
import type { LocalPolicy } from '../policy/local-policy.ts'
import type { PolicyModel } from '../composition/policy-model.ts'

/** Files of `writeLogits`, both safetensors. */
export interface WriteLogitsOptions {
  /**
   * `input_ids` [B, T]; optional `attention_mask` [B, T], `pixel_values`, `image_grid_thw`, `pixel_values_videos`,
   * `video_grid_thw`, `ecg` [N, leads, samples].
   */
  readonly inputs: string
  /** Becomes `logits` [B, T, V] (zeros in padding) and `position_ids` [3, B, T]. */
  readonly out: string
}

/**
 * Runs a model over a batch as transformers' forward would: `qoq model logits`.
 *
 * @throws MODEL_INPUT_INVALID, MODEL_PLACEHOLDER_MISMATCH, MODEL_GRID_MISMATCH, MODEL_MODALITY_UNSUPPORTED,
 *   MODEL_SAFETENSORS_INVALID, MODEL_DTYPE_UNSUPPORTED
 */
export async function writeLogits(policy: LocalPolicy, { inputs, out }: WriteLogitsOptions): Promise<void> {
  const { config } = policy.model
  const arrays = await readInputArrays(inputs, config)
  const rows = encodedRows(arrays, placeholderMeaning(policy.model))
  const logits = await policy.logits(rows.map(row => row.prompt))
  await writeSafetensors(out, padded(rows, logits, arrays, config.decoder.vocabSize))
}

function placeholderMeaning(model: PolicyModel): PlaceholderMeaning {
  const { config, encoders, mropeRule, timeSeriesTokenId } = model
  const { image, video } = config.tokenIds
  return {
    imageTokenId: image,
    videoTokenId: video,
    timeSeriesTokenId,
    visionTokens: patches => encoders.vision?.tokens(patches) ?? 0,
    ecgTokens: encoders.ecg?.tokens({ signalMv: new Float32Array(), missingLeads: [] }) ?? 0,
    spatialMergeSize: config.vision?.spatialMergeSize ?? 2,
    tokensPerSecond: config.vision?.tokensPerSecond ?? 2,
    mropeRule,
  }
}

/** Puts the rows back where their tokens stood. */
function padded(
  rows: readonly EncodedRow[],
  logits: readonly Float32Array[],
  { batch, length }: { batch: number; length: number },
  vocabSize: number,
): TensorToWrite[] {
  const allLogits = new Float32Array(batch * length * vocabSize)
  const positionIds = new BigInt64Array(3 * batch * length)
  for (const [row, { places, prompt }] of rows.entries()) {
    for (const [i, place] of places.entries()) {
      const at = row * length + place
      allLogits.set(logits[row]!.subarray(i * vocabSize, (i + 1) * vocabSize), at * vocabSize)
      for (let axis = 0; axis < 3; axis++) {
        positionIds[axis * batch * length + at] = BigInt(prompt.positionIds[axis * places.length + i]!)
      }
    }
  }
  return [
    { name: 'logits', shape: [batch, length, vocabSize], data: allLogits },
    { name: 'position_ids', shape: [3, batch, length], data: positionIds },
  ]
}
