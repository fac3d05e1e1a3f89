import { evalErrors } from '../errors.ts'
import { normalQuantile } from './normal-distribution.ts'

/** What a difference must be detected with. */
export interface DetectionOptions {
  /** Two-sided significance level; .05 by default. */
  readonly alpha?: number
  /** Chance to find the difference where it is there; .8 by default. */
  readonly power?: number
}

/**
 * Computes the smallest difference that a paired comparison of this size finds with the given power, in the normal
 * approximation: (z(1 - alpha / 2) + z(power)) * standard error.
 *
 * @param standardError of the difference, such as the standard deviation of its bootstrap distribution
 * @throws EVAL_VALUE_OUT_OF_RANGE for an alpha or a power outside (0, 1), or a standard error below 0
 */
export function detectableDifference(
  standardError: number,
  { alpha = 0.05, power = 0.8 }: DetectionOptions = {},
): number {
  for (const [name, value] of [
    ['alpha', alpha],
    ['power', power],
  ] as const)
    if (!(value > 0 && value < 1)) throw evalErrors.VALUE_OUT_OF_RANGE({ name, value, range: '(0, 1)' })
  if (!(standardError >= 0))
    throw evalErrors.VALUE_OUT_OF_RANGE({ name: 'standard error', value: standardError, range: '[0, infinity)' })
  return (normalQuantile(1 - alpha / 2) + normalQuantile(power)) * standardError
}
