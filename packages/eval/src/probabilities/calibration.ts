import { evalErrors } from '../errors.ts'

/** How probabilities are put into bins: equal stretches of [0, 1], or equal numbers of rows. */
export type Binning = 'equal-width' | 'adaptive'

/** Choices of a calibration measure. */
export interface CalibrationOptions {
  /** 15 by default. */
  readonly bins?: number
  /** `adaptive` by default: as many rows in every bin, as nearly as may be. */
  readonly binning?: Binning
}

/** Rows of one bin of a reliability plot. */
export interface CalibrationBin {
  readonly count: number
  /** Mean of the predicted probabilities. */
  readonly predicted: number
  /** Share of rows where the label is true. */
  readonly observed: number
}

/**
 * Puts rows into bins by their predicted probability, as a reliability plot shows them; empty bins are left out.
 *
 * @param probabilities [N] in [0, 1]
 * @param truth [N] 1 where the label is true
 * @throws EVAL_LENGTH_MISMATCH, EVAL_NO_ROWS, and EVAL_VALUE_OUT_OF_RANGE for a value that is no probability
 */
export function calibrationBins(
  probabilities: ArrayLike<number>,
  truth: ArrayLike<number>,
  { bins = 15, binning = 'adaptive' }: CalibrationOptions = {},
): CalibrationBin[] {
  checkProbabilities(probabilities, truth)
  if (!(Number.isInteger(bins) && bins > 0))
    throw evalErrors.VALUE_OUT_OF_RANGE({ name: 'bins', value: bins, range: 'the positive integers' })
  const rows = Int32Array.from({ length: probabilities.length }, (_, i) => i)
  const groups =
    binning === 'adaptive' ? equalCounts(rows, probabilities, bins) : equalWidths(rows, probabilities, bins)
  return groups
    .filter(group => group.length > 0)
    .map(group => ({
      count: group.length,
      predicted: meanOf(group, probabilities),
      observed: meanOf(group, truth),
    }))
}

/**
 * Expected calibration error: the mean distance of predicted probability and observed share over bins, weighted by rows
 * (Naeini et al. 2015; with `adaptive` bins, Nguyen and O'Connor 2015).
 *
 * @throws as `calibrationBins`
 */
export function calibrationError(
  probabilities: ArrayLike<number>,
  truth: ArrayLike<number>,
  options: CalibrationOptions = {},
): number {
  const bins = calibrationBins(probabilities, truth, options)
  const sum = bins.reduce((all, { count, predicted, observed }) => all + count * Math.abs(predicted - observed), 0)
  return sum / probabilities.length
}

/**
 * Brier score: the mean squared distance of probability and truth (Brier 1950).
 *
 * @throws as `calibrationBins`
 */
export function brierScore(probabilities: ArrayLike<number>, truth: ArrayLike<number>): number {
  checkProbabilities(probabilities, truth)
  let sum = 0
  for (let i = 0; i < probabilities.length; i++) sum += (probabilities[i]! - truth[i]!) ** 2
  return sum / probabilities.length
}

function checkProbabilities(probabilities: ArrayLike<number>, truth: ArrayLike<number>): void {
  if (probabilities.length !== truth.length)
    throw evalErrors.LENGTH_MISMATCH({
      what: 'probabilities and truths',
      first: probabilities.length,
      second: truth.length,
    })
  if (probabilities.length === 0) throw evalErrors.NO_ROWS({ what: 'calibration' })
  for (let i = 0; i < probabilities.length; i++) {
    const value = probabilities[i]!
    if (!(value >= 0 && value <= 1))
      throw evalErrors.VALUE_OUT_OF_RANGE({ name: 'a probability', value, range: '[0, 1]' })
  }
}

/**
 * As `numpy.array_split` of the sorted rows: the first N mod bins bins hold one row more. Rows of one probability stay in one
 * bin, the first that has some of them: which of them would be apart is chance.
 */
function equalCounts(rows: Int32Array, probabilities: ArrayLike<number>, bins: number): Int32Array[] {
  const sorted = rows.toSorted((a, b) => probabilities[a]! - probabilities[b]!)
  const [small, larger] = [Math.floor(rows.length / bins), rows.length % bins]
  const edges = Array.from({ length: bins + 1 }, (_, bin) => bin * small + Math.min(bin, larger))
  const moved = edges.map(edge => {
    let at = edge
    while (at > 0 && at < sorted.length && probabilities[sorted[at]!] === probabilities[sorted[at - 1]!]) at++
    return at
  })
  return Array.from({ length: bins }, (_, bin) => sorted.subarray(moved[bin], moved[bin + 1]))
}

/** Bin b holds (b / bins, (b + 1) / bins], the first one 0 too. */
function equalWidths(rows: Int32Array, probabilities: ArrayLike<number>, bins: number): Int32Array[] {
  const binOf = (row: number): number => Math.max(0, Math.ceil(probabilities[row]! * bins) - 1)
  const groups = Map.groupBy(rows, binOf)
  return Array.from({ length: bins }, (_, bin) => Int32Array.from(groups.get(bin) ?? []))
}

function meanOf(rows: Int32Array, values: ArrayLike<number>): number {
  return rows.reduce((sum, row) => sum + values[row]!, 0) / rows.length
}
