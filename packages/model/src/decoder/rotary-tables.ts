import type { DecoderConfig } from './decoder-config.ts'

/** Cosines and sines of one rotation per token and pair, each [N, headDim / 2]. */
export interface RotaryTables {
  readonly cos: Float32Array
  readonly sin: Float32Array
}

/**
 * Rotations of rotary position embedding. With M-RoPE (`mropeSection`) the first pairs of a head turn with the token's
 * position in time, the next with its height, the last with its width (Qwen2-VL, section 2.1).
 *
 * @param positionIds [3 * N] time, height, width of N tokens; [N] for models without M-RoPE
 */
export function rotaryTables(config: DecoderConfig, positionIds: Int32Array): RotaryTables {
  const { headDim, ropeTheta, mropeSection } = config
  const half = headDim / 2
  const count = mropeSection ? positionIds.length / 3 : positionIds.length
  const axisOfPair = (mropeSection ?? [half]).flatMap((pairs, axis) => Array.from({ length: pairs }, () => axis))
  // float32 as in the reference: at large positions a float64 angle would differ by more than the tolerance.
  const frequencies = Float32Array.from({ length: half }, (_, i) => 1 / Math.fround(ropeTheta ** ((2 * i) / headDim)))
  const cos = new Float32Array(count * half)
  const sin = new Float32Array(count * half)
  for (let token = 0; token < count; token++) {
    for (let pair = 0; pair < half; pair++) {
      const angle = Math.fround(positionIds[axisOfPair[pair]! * count + token]! * frequencies[pair]!)
      cos[token * half + pair] = Math.cos(angle)
      sin[token * half + pair] = Math.sin(angle)
    }
  }
  return { cos, sin }
}
