import { evalErrors } from '../errors.ts'

/** McNemar's test of two systems over the same rows. */
export interface McnemarResult {
  /** Rows that only the first system got right. */
  readonly onlyFirst: number
  /** Rows that only the second system got right. */
  readonly onlySecond: number
  /** Two-sided exact p-value under "either is as likely". */
  readonly pValue: number
}

/**
 * Tests whether two systems err equally often on the same rows (McNemar, exact binomial form).
 *
 * @param first [N] whether the first system was right; any number above 0 is "right"
 * @param second [N] the same of the second
 * @throws EVAL_LENGTH_MISMATCH when the lists differ in length
 */
export function mcnemar(first: ArrayLike<number>, second: ArrayLike<number>): McnemarResult {
  if (first.length !== second.length)
    throw evalErrors.LENGTH_MISMATCH({ what: 'right and wrong rows', first: first.length, second: second.length })
  let onlyFirst = 0
  let onlySecond = 0
  for (let i = 0; i < first.length; i++) {
    const [a, b] = [first[i]! > 0, second[i]! > 0]
    if (a && !b) onlyFirst++
    if (b && !a) onlySecond++
  }
  return { onlyFirst, onlySecond, pValue: exactBinomial(Math.min(onlyFirst, onlySecond), onlyFirst + onlySecond) }
}

/** Two-sided p of at most `few` successes in `all` fair trials: 2 * sum_k C(all, k) / 2^all, at most 1. */
function exactBinomial(few: number, all: number): number {
  // In logarithms, relative to the largest term: 2^-all underflows from 1,075 trials on.
  let logTerm = -all * Math.LN2
  const logTerms = [logTerm]
  for (let k = 1; k <= few; k++) {
    logTerm += Math.log((all - k + 1) / k)
    logTerms.push(logTerm)
  }
  const largest = logTerms.at(-1) ?? 0
  const sum = logTerms.reduce((total, term) => total + Math.exp(term - largest), 0)
  return Math.min(1, 2 * Math.exp(largest) * sum)
}
