import { evalErrors } from '../errors.ts'
import type { Interval } from './bootstrap.ts'
import { normalQuantile } from './normal-distribution.ts'

/**
 * Computes Wilson's score interval of a share (Wilson 1927), which is never empty at 0 and 1:
 *
 *     (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)
 *
 * @param successes k of n
 * @param trials n, at least 1
 * @param level share of the interval, in (0, 1)
 * @throws EVAL_VALUE_OUT_OF_RANGE
 */
export function wilsonInterval(successes: number, trials: number, level = 0.95): Interval {
  if (!(trials >= 1)) throw evalErrors.VALUE_OUT_OF_RANGE({ name: 'trials', value: trials, range: 'numbers from 1' })
  if (!(level > 0 && level < 1)) throw evalErrors.VALUE_OUT_OF_RANGE({ name: 'level', value: level, range: '(0, 1)' })
  const z = normalQuantile((1 + level) / 2)
  const share = successes / trials
  const [centre, scale] = [share + z ** 2 / (2 * trials), 1 + z ** 2 / trials]
  const half = z * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2))
  return { lower: Math.max(0, (centre - half) / scale), upper: Math.min(1, (centre + half) / scale), method: 'wilson' }
}
