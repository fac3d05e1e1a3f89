/** Confusion counts of one label over the rows of a dataset, each label read as its own yes/no question (D.2). */
export interface LabelCounts {
  /** Rows where the label is true and predicted. */
  readonly tp: number
  /** Rows where the label is predicted but not true. */
  readonly fp: number
  /** Rows where the label is true but not predicted. */
  readonly fn: number
  /** Rows where the label is neither true nor predicted. */
  readonly tn: number
}

/** What equations 8-11 make of one label's counts; every share is in [0, 1]. */
export interface LabelMetrics extends LabelCounts {
  /** (TP + TN) / (TP + TN + FP + FN), eq. 8. */
  readonly accuracy: number
  /** TP / (TP + FP), eq. 9. */
  readonly precision: number
  /** TP / (TP + FN), eq. 10. */
  readonly recall: number
  /** The same number as `recall`, under the name of tables 6-12. */
  readonly sensitivity: number
  /** TN / (TN + FP). */
  readonly specificity: number
  /** Harmonic mean of precision and recall, eq. 11. */
  readonly f1: number
  /** Rows where the label is true. */
  readonly support: number
}

/**
 * Computes a label's accuracy, precision, recall and F1 (eqs. 8-11), and specificity, from its counts.
 * A quotient 0/0 is 0: a label that is never predicted has precision 0, one that is never true recall 0.
 */
export function labelMetrics(counts: LabelCounts): LabelMetrics {
  const { tp, fp, fn, tn } = counts
  const precision = ratio(tp, tp + fp)
  const recall = ratio(tp, tp + fn)
  return {
    tp,
    fp,
    fn,
    tn,
    accuracy: ratio(tp + tn, tp + tn + fp + fn),
    precision,
    recall,
    sensitivity: recall,
    specificity: ratio(tn, tn + fp),
    f1: ratio(2 * precision * recall, precision + recall),
    support: tp + fn,
  }
}

/** Divides, with 0/0 = 0: the convention of every share in this package. */
export function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? 0 : numerator / denominator
}
