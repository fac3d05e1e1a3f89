import type { PixelPatches, PreparedEcg } from '@qoq-med/encoders'

/** A prompt as the model reads it: T token ids with expanded placeholders, their positions, and the prepared media. */
export interface Encoded {
  /** [T] */
  readonly tokenIds: Int32Array
  /** [3 * T] positions in time, height and width (`mropePositions`). */
  readonly positionIds: Int32Array
  /** Token number n of what follows stands at position n + ropeDelta. */
  readonly ropeDelta: number
  /** Places in the sequence that take the tokens of `vision`, in order. */
  readonly visionPositions: Int32Array
  /** Places in the sequence that take the tokens of `ecgs`, in order. */
  readonly ecgPositions: Int32Array
  /** Images and clips, in the order of the message. */
  readonly vision: readonly PixelPatches[]
  /** Prepared ECGs, in the order of the message. */
  readonly ecgs: readonly PreparedEcg[]
}
