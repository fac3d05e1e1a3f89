import { evalErrors } from '../errors.ts'

/** [N] what is ranked: a score per row, whether the label is true, and how much the row counts (1 where missing). */
export interface RankedRows {
  readonly scores: ArrayLike<number>
  /** 1 where the label is true. */
  readonly truth: ArrayLike<number>
  readonly weights?: ArrayLike<number>
}

/** Rows in falling order of their scores. */
export interface Ranking {
  /** [N] indices of rows, highest score first. */
  readonly order: Int32Array
  readonly rows: RankedRows
}

/**
 * Sorts rows by falling score, once for however many weightings.
 *
 * @throws EVAL_LENGTH_MISMATCH, and EVAL_VALUE_OUT_OF_RANGE for a score that is not finite
 */
export function rankRows(rows: RankedRows): Ranking {
  const { scores, truth, weights } = rows
  for (const other of [truth, weights])
    if (other && other.length !== scores.length)
      throw evalErrors.LENGTH_MISMATCH({ what: 'scores and truths', first: scores.length, second: other.length })
  for (let i = 0; i < scores.length; i++)
    if (!Number.isFinite(scores[i]))
      throw evalErrors.VALUE_OUT_OF_RANGE({ name: 'a score', value: scores[i]!, range: 'the finite numbers' })
  const order = Int32Array.from({ length: scores.length }, (_, i) => i).toSorted((a, b) => scores[b]! - scores[a]!)
  return { order, rows }
}

/** How well scores rank rows. */
export interface RankingMeasures {
  /**
   * Area under the receiver operating characteristic: the chance that a row with the label is scored above one without
   * it, ties counting half. NaN where every row has the label, or none.
   */
  readonly auroc: number
  /**
   * Average precision: the sum over thresholds of precision times the gain in recall, without interpolation, as
   * scikit-learn's `average_precision_score`. NaN where no row has the label.
   */
  readonly averagePrecision: number
}

/**
 * Measures a ranking; `weights` are those of its rows unless others are given.
 *
 * @param weights [N] how much each row counts, such as how often a redraw holds it
 */
export function rankingMeasures(
  { order, rows: { scores, truth, weights: own } }: Ranking,
  weights: ArrayLike<number> | undefined = own,
): RankingMeasures {
  let [positives, negatives, concordant, precisions] = [0, 0, 0, 0]
  let [tiedPositives, tiedNegatives] = [0, 0]
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!
    const weight = weights?.[row] ?? 1
    if (truth[row]! > 0) tiedPositives += weight
    else tiedNegatives += weight
    if (i + 1 < order.length && scores[order[i + 1]!] === scores[row]) continue
    // Rows with the label and a higher score precede these negatives; ties count half.
    concordant += tiedNegatives * (positives + tiedPositives / 2)
    positives += tiedPositives
    negatives += tiedNegatives
    if (tiedPositives > 0) precisions += tiedPositives * (positives / (positives + negatives))
    tiedPositives = 0
    tiedNegatives = 0
  }
  return {
    auroc: positives > 0 && negatives > 0 ? concordant / (positives * negatives) : Number.NaN,
    averagePrecision: positives > 0 ? precisions / positives : Number.NaN,
  }
}
