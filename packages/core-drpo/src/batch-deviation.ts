import type { Deviation } from './group-advantage.ts'

/**
 * Deviation of all values, whatever their magnitude.
 *
 * @param deviation n - 1 (`sample`) or n (`population`) in the variance
 */
export function deviationOf(values: Float64Array, deviation: Deviation): number {
  let unit = 0 // the largest magnitude, so that squares neither overflow nor vanish
  for (const value of values) unit = Math.max(unit, Math.abs(value))
  if (unit === 0) return 0
  let mean = 0
  for (const value of values) mean += value / unit / values.length
  let squares = 0
  for (const value of values) squares += (value / unit - mean) ** 2
  return unit * Math.sqrt(squares / (values.length - (deviation === 'sample' ? 1 : 0)))
}
