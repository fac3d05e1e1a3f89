import { evalErrors } from '../errors.ts'

/**
 * Adjusts p-values of a family of tests (Holm 1979): the k-th smallest of m is multiplied by m - k + 1, and none is
 * smaller than one before it. Rejecting where the adjusted value is at most alpha keeps the family-wise error at alpha.
 *
 * @param pValues [m] in any order, each in [0, 1]
 * @returns [m] in the same order
 * @throws EVAL_VALUE_OUT_OF_RANGE for a value that is no probability
 */
export function holmAdjusted(pValues: readonly number[]): number[] {
  for (const value of pValues)
    if (!(value >= 0 && value <= 1)) throw evalErrors.VALUE_OUT_OF_RANGE({ name: 'a p-value', value, range: '[0, 1]' })
  const order = [...pValues.keys()].toSorted((a, b) => pValues[a]! - pValues[b]!) // indices of the list
  const adjusted = pValues.map(() => 1)
  let largest = 0
  for (const [rank, index] of order.entries()) {
    largest = Math.max(largest, Math.min(1, pValues[index]! * (pValues.length - rank)))
    adjusted[index] = largest
  }
  return adjusted
}
