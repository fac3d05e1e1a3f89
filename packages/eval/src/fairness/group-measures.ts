import { ratio } from '../metrics/label-counts.ts'

/** What is compared between groups: each the mean over classes, one against the rest. */
export const groupMeasures = ['accuracy', 'f1', 'tpr', 'fpr', 'fdr'] as const

/** One value per measure of a group. */
export type GroupMeasures = Readonly<Record<(typeof groupMeasures)[number], number>>

/**
 * Counts every group's cells, label by label.
 *
 * @param cells [N * L] as in `Outcomes`
 * @param groupOf [N] group of each row; -1 leaves a row out
 * @param weights [N] how often each row counts
 * @returns [G * L * 4] true negatives, false negatives, false positives, true positives of each label in each group
 */
export function countGroups(
  cells: Uint8Array,
  { groupOf, groups, weights }: { groupOf: ArrayLike<number>; groups: number; weights?: ArrayLike<number> },
): Float64Array {
  const numLabels = cells.length / groupOf.length
  const counts = new Float64Array(groups * numLabels * 4)
  for (let row = 0; row < groupOf.length; row++) {
    const group = groupOf[row]!
    const weight = weights?.[row] ?? 1
    if (group < 0 || weight === 0) continue
    let slot = group * numLabels * 4
    for (let i = row * numLabels; i < (row + 1) * numLabels; i++, slot += 4) counts[slot + cells[i]!]! += weight
  }
  return counts
}

/**
 * Averages a group's shares over its classes with equal weight; 0/0 is 0.
 *
 * @param counts [L * 4] of one group, as `countGroups` lays them out
 * @param classes the labels that count
 */
export function measuresOf(counts: Float64Array, classes: readonly number[]): GroupMeasures {
  let [accuracy, f1, tpr, fpr, fdr] = [0, 0, 0, 0, 0]
  for (const label of classes) {
    const [tn = 0, fn = 0, fp = 0, tp = 0] = counts.subarray(label * 4)
    accuracy += ratio(tp + tn, tp + tn + fp + fn)
    f1 += ratio(2 * tp, 2 * tp + fp + fn)
    tpr += ratio(tp, tp + fn)
    fpr += ratio(fp, fp + tn)
    fdr += ratio(fp, fp + tp)
  }
  const count = classes.length
  return {
    accuracy: ratio(accuracy, count),
    f1: ratio(f1, count),
    tpr: ratio(tpr, count),
    fpr: ratio(fpr, count),
    fdr: ratio(fdr, count),
  }
}

/** Measures over groups: their mean, the largest minus the smallest, and the sample standard deviation. */
export interface GroupSpread {
  readonly mean: GroupMeasures
  readonly gap: GroupMeasures
  readonly deviation: GroupMeasures
}

/** Computes mean, gap and sample standard deviation over at least two groups. */
export function spreadOf(groups: readonly GroupMeasures[]): GroupSpread {
  const each = (value: (values: readonly number[]) => number): GroupMeasures =>
    eachMeasure(name => value(groups.map(group => group[name])))
  return {
    mean: each(meanOf),
    gap: each(values => Math.max(...values) - Math.min(...values)),
    deviation: each(values =>
      Math.sqrt(values.reduce((sum, one) => sum + (one - meanOf(values)) ** 2, 0) / (values.length - 1)),
    ),
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length
}

/** Averages spreads, such as over attributes or datasets; nothing where there are none. */
export function meanSpread(spreads: readonly GroupSpread[]): GroupSpread | undefined {
  if (spreads.length === 0) return undefined
  const part = (name: keyof GroupSpread): GroupMeasures =>
    eachMeasure(measure => spreads.reduce((sum, one) => sum + one[name][measure], 0) / spreads.length)
  return { mean: part('mean'), gap: part('gap'), deviation: part('deviation') }
}

/** Makes one value per measure. */
export function eachMeasure<Value>(
  value: (name: (typeof groupMeasures)[number]) => Value,
): Readonly<Record<(typeof groupMeasures)[number], Value>> {
  return { accuracy: value('accuracy'), f1: value('f1'), tpr: value('tpr'), fpr: value('fpr'), fdr: value('fdr') }
}
