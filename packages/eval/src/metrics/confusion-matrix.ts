import { evalErrors } from '../errors.ts'
import { type LabelCounts, ratio } from './label-counts.ts'

/** Counts of (true, predicted) pairs over C classes. */
export interface ConfusionMatrix {
  /** [C] class names, in the order of rows and columns. */
  readonly classes: readonly string[]
  /** [C * C] row-major: `counts[t * C + p]` rows are truly `t` and predicted as `p`. */
  readonly counts: Int32Array
}

/**
 * Counts which class was taken for which. A row with several labels counts under the first of the class list that it
 * has; a row with none of them under `(none)`, the last class, so that every row is counted once.
 *
 * @param rows N rows of true and predicted labels
 * @param labels the dataset's labels; the result has one class more, named `(none)`
 */
export function confusionMatrix(
  rows: readonly { readonly truth: readonly string[]; readonly predicted: readonly string[] }[],
  labels: readonly string[],
): ConfusionMatrix {
  const classes = [...labels, '(none)']
  const counts = new Int32Array(classes.length ** 2)
  const classOf = (names: readonly string[]): number => {
    const index = labels.findIndex(label => names.includes(label))
    return index === -1 ? labels.length : index
  }
  for (const row of rows) counts[classOf(row.truth) * classes.length + classOf(row.predicted)]!++
  return { classes, counts }
}

/**
 * Computes Cohen's kappa, the agreement of two raters beyond chance: (p_o - p_e) / (1 - p_e).
 *
 * @param first [N] one rater's class per statement
 * @param second [N] the other's
 * @returns in [-1, 1]; NaN where both raters always say the same one class, which leaves kappa undefined
 * @throws EVAL_LENGTH_MISMATCH when the lists differ in length
 * @throws EVAL_NO_ROWS when they are empty
 */
export function cohenKappa(first: readonly (string | number)[], second: readonly (string | number)[]): number {
  if (first.length !== second.length)
    throw evalErrors.LENGTH_MISMATCH({ what: 'ratings', first: first.length, second: second.length })
  if (first.length === 0) throw evalErrors.NO_ROWS({ what: "Cohen's kappa" })
  const [firstCounts, secondCounts] = [tally(first), tally(second)]
  const observed = first.filter((value, index) => value === second[index]).length * first.length
  let expected = 0
  for (const [value, count] of firstCounts) expected += count * (secondCounts.get(value) ?? 0)
  // Both sides times N^2: integers, so that perfect agreement on one class is exactly 0/0.
  return (observed - expected) / (first.length ** 2 - expected)
}

/** Computes the correlation of a label's truth and prediction (Matthews), in [-1, 1]; 0 where either never varies. */
export function matthewsCorrelation({ tp, fp, fn, tn }: LabelCounts): number {
  return ratio(tp * tn - fp * fn, Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))
}

function tally(values: readonly (string | number)[]): Map<string | number, number> {
  const counts = new Map<string | number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
