import { rowsByDataset } from '../metrics/compute-metrics.ts'
import { labelListOf } from '../metrics/outcomes.ts'
import { evalErrors } from '../errors.ts'
import { type Interval, percentileInterval } from '../statistics/bootstrap.ts'
import { holmAdjusted } from '../statistics/holm.ts'
import { drawWeights, seededRandom } from '../statistics/seeded-random.ts'
import { type AttributeRows, attributeRows, attributesOf, type SubgroupRow } from './attribute-rows.ts'
import type { FairnessOptions } from './fairness-metrics.ts'
import { gapsOf } from './group-gaps.ts'
import { eachMeasure, type GroupMeasures, groupMeasures } from './group-measures.ts'

/** How a gap differs between two systems over the same rows: second minus first; below 0, the second is fairer. */
export interface GapDifference extends Interval {
  readonly dataset: string
  readonly attribute: string
  readonly measure: keyof GroupMeasures
  readonly difference: number
  /** Two-sided, by exchanging the two systems' answers patient by patient. */
  readonly pValue: number
  /** The same after Holm's correction over all rows of the result. */
  readonly adjustedP: number
}

/**
 * Compares the gaps of two systems: intervals by a bootstrap that draws the same patients for both, p-values by a
 * permutation test over patients.
 *
 * @param first N rows of one system
 * @param second N rows of the other, the same samples in the same order
 * @throws EVAL_LENGTH_MISMATCH when the systems have different rows; otherwise as `fairnessMetrics`
 */
export function fairnessDifferences(
  first: readonly SubgroupRow[],
  second: readonly SubgroupRow[],
  labels: Readonly<Record<string, readonly string[]>>,
  options: Omit<FairnessOptions, 'classes'> = {},
): GapDifference[] {
  if (first.length !== second.length)
    throw evalErrors.LENGTH_MISMATCH({ what: 'rows of the two runs', first: first.length, second: second.length })
  const others = rowsByDataset(second)
  const { minPatients = 20 } = options
  const random = seededRandom(options.seed ?? 42)
  const found = [...rowsByDataset(first)].flatMap(([dataset, own]) => {
    const list = labelListOf(labels, dataset)
    return attributesOf(own).flatMap(attribute => {
      const [a, b] = [own, others.get(dataset) ?? []].map(rows => attributeRows(rows, list, { attribute, minPatients }))
      return differencesOf([a!, b!], options, random).map(one => ({ dataset, attribute, ...one }))
    })
  })
  const adjusted = holmAdjusted(found.map(({ pValue }) => pValue))
  return found.map((one, index) => ({ ...one, adjustedP: adjusted[index]! })) // one for each
}

type Pair = readonly [AttributeRows, AttributeRows]

function differencesOf(
  [first, second]: Pair,
  { resamples = 1000, level }: Omit<FairnessOptions, 'classes'>,
  random: () => number,
): Omit<GapDifference, 'dataset' | 'attribute' | 'adjustedP'>[] {
  if (first.ranked.length < 2 || first.cells.length !== second.cells.length) return []
  const { patients } = first
  const ones = new Float64Array(first.groupOf.length).fill(1)
  const observed = gapDifference(first, [first.cells, second.cells], ones)
  const ofPatients = new Float64Array(patients.count)
  const redrawn = Array.from({ length: resamples }, () => {
    drawWeights(ofPatients, random)
    return gapDifference(
      first,
      [first.cells, second.cells],
      Float64Array.from(patients.ofRow, p => ofPatients[p]!),
    )
  })
  const exchanged = Array.from({ length: resamples }, () => {
    for (let i = 0; i < ofPatients.length; i++) ofPatients[i] = random() < 0.5 ? 1 : 0
    return gapDifference(first, exchange([first, second], ofPatients), ones)
  })
  return groupMeasures.map(measure => ({
    measure,
    difference: observed[measure],
    ...percentileInterval(
      Float64Array.from(redrawn, one => one[measure]),
      level,
    ),
    pValue: permutationP(
      exchanged.map(one => one[measure]),
      observed[measure],
    ),
  }))
}

/** Share of exchanges with a difference at least as large, the observed one counted among them. */
function permutationP(exchanged: readonly number[], observed: number): number {
  const tiny = 1e-12
  const asLarge = exchanged.filter(value => Math.abs(value) >= Math.abs(observed) - tiny).length
  return (asLarge + 1) / (exchanged.length + 1)
}

/** Exchanges the cells of the two systems for the patients that are marked. */
function exchange([first, second]: Pair, marked: Float64Array): readonly [Uint8Array, Uint8Array] {
  const { numLabels, patients } = first
  const [a, b] = [first.cells.slice(), second.cells.slice()]
  for (const [row, patient] of patients.ofRow.entries()) {
    if (marked[patient] === 0) continue
    const [start, end] = [row * numLabels, (row + 1) * numLabels]
    a.set(second.cells.subarray(start, end), start)
    b.set(first.cells.subarray(start, end), start)
  }
  return [a, b]
}

function gapDifference(
  rows: AttributeRows,
  [first, second]: readonly [Uint8Array, Uint8Array],
  weights: Float64Array,
): GroupMeasures {
  const [before, after] = [gapsOf(rows, { cells: first, weights }), gapsOf(rows, { cells: second, weights })]
  return eachMeasure(name => after[name] - before[name])
}
