import { evalErrors } from '../errors.ts'
import { type LabelCounts, labelMetrics } from './label-counts.ts'

/** The length-of-stay classes of D.3.1, by completed upper bound in days: A at most 4, B 8, C 12, D above. */
export const stayClasses = ['A', 'B', 'C', 'D'] as const

/** One of the four length-of-stay classes. */
export type StayClass = (typeof stayClasses)[number]

/** What equations 16 and 17, or 18 and 19, say about one MIMIC-IV task. */
export interface TaskMetrics {
  /** Share of correct predictions (eqs. 16, 18). */
  readonly accuracy: number
  /** Macro-F1 over the four classes (eq. 17), or F1 of the positive class (eq. 19). */
  readonly f1: number
}

/**
 * Bins a length of stay (D.3.1). The paper's bins 0-4, 5-8, 9-12 leave fractional days open; we bin by completed upper
 * bound: A (0, 4], B (4, 8], C (8, 12], D above.
 *
 * @param days length of stay in days, at least 0
 * @throws EVAL_VALUE_OUT_OF_RANGE for a negative or non-finite stay
 */
export function stayClassOf(days: number): StayClass {
  if (!(days >= 0 && Number.isFinite(days)))
    throw evalErrors.VALUE_OUT_OF_RANGE({ name: 'length of stay in days', value: days, range: '[0, infinity)' })
  return days <= 4 ? 'A' : days <= 8 ? 'B' : days <= 12 ? 'C' : 'D'
}

/**
 * Computes accuracy (eq. 16) and macro-F1 over {A, B, C, D} (eq. 17) of length-of-stay predictions.
 *
 * @param truth [N] true classes
 * @param predicted [N] predicted classes; undefined where the response had none
 * @throws EVAL_LENGTH_MISMATCH when the lists differ in length
 * @throws EVAL_NO_ROWS when they are empty
 */
export function stayMetrics(truth: readonly StayClass[], predicted: readonly (StayClass | undefined)[]): TaskMetrics {
  checkPair(truth, predicted)
  const f1 = stayClasses.map(name => labelMetrics(countsOf(truth, predicted, name)).f1)
  const correct = truth.filter((value, index) => value === predicted[index]).length
  return { accuracy: correct / truth.length, f1: f1.reduce((sum, value) => sum + value, 0) / stayClasses.length }
}

/**
 * Computes accuracy (eq. 18) and F1 of the positive class (eq. 19) of 48-hour in-hospital mortality predictions.
 *
 * @param truth [N] whether the patient died, or went to hospice care, within 48 hours of admission
 * @param predicted [N] predictions; undefined, where the response had none, is wrong either way
 * @throws EVAL_LENGTH_MISMATCH when the lists differ in length
 * @throws EVAL_NO_ROWS when they are empty
 */
export function mortalityMetrics(truth: readonly boolean[], predicted: readonly (boolean | undefined)[]): TaskMetrics {
  checkPair(truth, predicted)
  const correct = truth.filter((value, index) => value === predicted[index]).length
  return { accuracy: correct / truth.length, f1: labelMetrics(countsOf(truth, predicted, true)).f1 }
}

function checkPair(truth: readonly unknown[], predicted: readonly unknown[]): void {
  if (truth.length !== predicted.length)
    throw evalErrors.LENGTH_MISMATCH({ what: 'truth and predicted', first: truth.length, second: predicted.length })
  if (truth.length === 0) throw evalErrors.NO_ROWS({ what: 'task metrics' })
}

function countsOf<Value>(
  truth: readonly Value[],
  predicted: readonly (Value | undefined)[],
  positive: Value,
): LabelCounts {
  const counts = { tp: 0, fp: 0, fn: 0, tn: 0 }
  for (const [index, value] of truth.entries()) {
    const [isTrue, isPredicted] = [value === positive, predicted[index] === positive]
    counts[isTrue ? (isPredicted ? 'tp' : 'fn') : isPredicted ? 'fp' : 'tn']++
  }
  return counts
}
