import { evalErrors } from '../errors.ts'
import { normalCdf } from '../statistics/normal-distribution.ts'

/** A printed mean over runs with its standard deviation. */
export interface PrintedMean {
  readonly mean: number
  readonly std: number
}

/**
 * The p-value that the successor's public script approaches with 10,000 draws: 2 (1 - Phi(|m1 - m2| / sqrt((s1² + s2²) / n))).
 * It is for checking printed tables only: it corrects for nothing and takes printed deviations for known.
 *
 * @param n values behind each mean, 4 in the public script
 * @throws EVAL_VALUE_OUT_OF_RANGE when `n` is below 1
 */
export function legacyP(first: PrintedMean, second: PrintedMean, n = 4): number {
  if (!(n >= 1)) throw evalErrors.VALUE_OUT_OF_RANGE({ name: 'n', value: n, range: 'numbers from 1' })
  const error = Math.sqrt((first.std ** 2 + second.std ** 2) / n)
  return 2 * normalCdf(-Math.abs(first.mean - second.mean) / error)
}
