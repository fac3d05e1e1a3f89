import { encodersErrors } from '../errors.ts'

/**
 * How frames are picked from a longer clip:
 * `truncated` spaces them from the first to the last and rounds down, one frame being the middle one (the released
 * code's rule); `rounded` rounds to the nearest instead (halves to even); `centres` takes the middles of equal parts.
 */
export type FrameRule = 'truncated' | 'rounded' | 'centres'

/** Frames per clip or volume of the paper (D.1). */
const defaultFrameCount = 4

function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value)
}

/**
 * Picks frames of a video, or slices of a volume, at uniform distances (D.1: 4 of them). A short clip repeats frames.
 *
 * @param total frames in the clip
 * @param count frames to take
 * @returns [count] indices, ascending
 * @throws ENCODERS_FRAMES_EMPTY when either is not a whole number above zero
 */
export function frameIndices(
  total: number,
  count: number = defaultFrameCount,
  rule: FrameRule = 'truncated',
): number[] {
  if (!(Number.isInteger(total) && total > 0 && Number.isInteger(count) && count > 0))
    throw encodersErrors.FRAMES_EMPTY({ total, count })
  const step = count > 1 ? (total - 1) / (count - 1) : 0
  const picks: Record<FrameRule, (frame: number) => number> = {
    truncated: frame =>
      count === 1 ? Math.floor(total / 2) : frame === count - 1 ? total - 1 : Math.floor(frame * step),
    rounded: frame => (count > 1 && frame === count - 1 ? total - 1 : roundHalfEven(frame * step)),
    centres: frame => Math.floor(((frame + 0.5) * total) / count),
  }
  return Array.from({ length: count }, (_, frame) => picks[rule](frame))
}
