import { rowsByDataset } from '../metrics/compute-metrics.ts'
import { labelListOf } from '../metrics/outcomes.ts'
import { type Interval, percentileInterval } from '../statistics/bootstrap.ts'
import { drawWeights, seededRandom, shuffle } from '../statistics/seeded-random.ts'
import {
  type AttributeRows,
  attributeRows,
  attributesOf,
  type GroupClasses,
  type SubgroupRow,
} from './attribute-rows.ts'
import { classesOf, gapsOf, measuresByGroup } from './group-gaps.ts'
import {
  countGroups,
  eachMeasure,
  type GroupMeasures,
  type GroupSpread,
  meanSpread,
  measuresOf,
  spreadOf,
} from './group-measures.ts'

/** How fairness is measured. */
export interface FairnessOptions {
  /** `dataset` by default: all groups are measured on the same classes. */
  readonly classes?: GroupClasses
  /** Groups of fewer patients are shown, and left out of gaps; 20 by default. */
  readonly minPatients?: number
  /** Seed of the draws; 42 by default. */
  readonly seed?: number
  /** Redraws of patients for intervals; 1,000 by default, 0 for none. */
  readonly resamples?: number
  /** Shuffles of group labels for the gap that chance alone gives; 200 by default, 0 for none. */
  readonly shuffles?: number
  /** Share of the distribution inside an interval; .95 by default. */
  readonly level?: number
}

/** One group of one attribute. */
export interface GroupRow extends GroupMeasures {
  /** Rows. */
  readonly support: number
  readonly patients: number
  /** False where it has too few patients to be compared. */
  readonly isRanked: boolean
  /** Share of classes that are never predicted in it: their false discovery rate counts as 0. */
  readonly neverPredicted: number
}

/** The groups of an attribute; gaps where at least two groups are ranked. */
export interface AttributeFairness extends Partial<GroupSpread> {
  readonly groups: Readonly<Record<string, GroupRow>>
  /** The group that is worst by each measure: lowest accuracy, F1 and TPR, highest FPR and FDR. */
  readonly worst?: Readonly<Record<keyof GroupMeasures, string>>
  /** Interval of each gap, over redraws of patients. */
  readonly gapIntervals?: Readonly<Record<keyof GroupMeasures, Interval>>
  /** Mean gap where group labels are shuffled among patients: a gap is never 0 by chance. */
  readonly chanceGap?: GroupMeasures
}

/** The averages that the paper's successor prints (FairGRPO), as shares. */
export interface FairnessSummary extends GroupSpread {
  /** Gap of the false discovery rate. */
  readonly predictiveParityGap: number
  /** Gap of the true positive rate. */
  readonly equalOpportunityDifference: number
  readonly fprGap: number
  /** Mean accuracy of groups / (1 + its standard deviation). */
  readonly accuracyEs: number
  /** Mean F1 of groups / (1 + its standard deviation). */
  readonly f1Es: number
}

/** Everything about subgroups. */
export interface FairnessMetrics {
  readonly datasets: Readonly<
    Record<
      string,
      { readonly attributes: Readonly<Record<string, AttributeFairness>>; readonly average: GroupSpread | undefined }
    >
  >
  /** Mean over attributes with at least two ranked groups, then over datasets; nothing where there is none. */
  readonly overall: FairnessSummary | undefined
}

/**
 * Computes accuracy, F1, TPR, FPR and FDR of every group, with gaps, their intervals and the gap that chance gives.
 *
 * @throws EVAL_LABELS_MISSING, EVAL_LABELS_INVALID, EVAL_TRUTH_UNKNOWN, EVAL_DOMAIN_CONFLICT
 */
export function fairnessMetrics(
  rows: readonly SubgroupRow[],
  labels: Readonly<Record<string, readonly string[]>>,
  options: FairnessOptions = {},
): FairnessMetrics {
  const { minPatients = 20 } = options
  const random = seededRandom(options.seed ?? 42)
  const datasets = [...rowsByDataset(rows)].map(([dataset, own]) => {
    const list = labelListOf(labels, dataset)
    const attributes = attributesOf(own).map(attribute => {
      return [
        attribute,
        attributeFairness(attributeRows(own, list, { attribute, minPatients }), options, random),
      ] as const
    })
    const average = meanSpread(attributes.flatMap(([, one]) => wholeSpread(one) ?? []))
    return [dataset, { attributes: Object.fromEntries(attributes), average }] as const
  })
  const overall = meanSpread(datasets.flatMap(([, { average }]) => average ?? []))
  return { datasets: Object.fromEntries(datasets), overall: overall && summaryOf(overall) }
}

function wholeSpread({ mean, gap, deviation }: AttributeFairness): GroupSpread | undefined {
  return mean && gap && deviation ? { mean, gap, deviation } : undefined
}

function summaryOf(spread: GroupSpread): FairnessSummary {
  const { mean, gap, deviation } = spread
  return {
    ...spread,
    predictiveParityGap: gap.fdr,
    equalOpportunityDifference: gap.tpr,
    fprGap: gap.fpr,
    accuracyEs: mean.accuracy / (1 + deviation.accuracy),
    f1Es: mean.f1 / (1 + deviation.f1),
  }
}

function attributeFairness(
  rows: AttributeRows,
  { classes = 'dataset', resamples = 1000, shuffles = 200, level }: FairnessOptions,
  random: () => number,
): AttributeFairness {
  const counts = countGroups(rows.cells, { groupOf: rows.groupOf, groups: rows.names.length })
  const measures = measuresByGroup(counts, rows, classes)
  const groups = Object.fromEntries(rows.names.map((name, group) => [name, groupRow(rows, { group, counts, classes })]))
  if (rows.ranked.length < 2) return { groups }
  const ranked = rows.ranked.map(group => measures[group]!)
  return {
    groups,
    ...spreadOf(ranked),
    worst: eachMeasure(name => rows.names[rows.ranked[worstOf(ranked, name)]!]!),
    ...(resamples > 0 && { gapIntervals: gapIntervals(rows, { classes, resamples, level }, random) }),
    ...(shuffles > 0 && { chanceGap: chanceGap(rows, { classes, shuffles }, random) }),
  }
}

/** Index of the group that is worst: the lowest, or where errors are counted the highest. */
function worstOf(ranked: readonly GroupMeasures[], name: keyof GroupMeasures): number {
  const sign = name === 'fpr' || name === 'fdr' ? -1 : 1
  const values = ranked.map(one => sign * one[name])
  return values.indexOf(Math.min(...values))
}

function groupRow(
  { names, numLabels, groupOf, patientsOfGroup, ranked }: AttributeRows,
  { group, counts, classes }: { readonly group: number; readonly counts: Float64Array; readonly classes: GroupClasses },
): GroupRow {
  const own = counts.subarray(group * numLabels * 4, (group + 1) * numLabels * 4)
  const counted = classesOf(counts, { group, groups: names.length, numLabels, classes })
  const silent = counted.filter(label => own[label * 4 + 2] === 0 && own[label * 4 + 3] === 0).length
  return {
    ...measuresOf(own, counted),
    support: groupOf.reduce((sum, one) => sum + (one === group ? 1 : 0), 0),
    patients: patientsOfGroup[group]!,
    isRanked: ranked.includes(group),
    neverPredicted: counted.length === 0 ? 0 : silent / counted.length,
  }
}

function gapIntervals(
  rows: AttributeRows,
  { classes, resamples, level }: { classes: GroupClasses; resamples: number; level: number | undefined },
  random: () => number,
): Readonly<Record<keyof GroupMeasures, Interval>> {
  const { patients } = rows
  const ofPatients = new Float64Array(patients.count)
  const gaps = Array.from({ length: resamples }, () => {
    drawWeights(ofPatients, random)
    return gapsOf(rows, {
      classes,
      weights: Float64Array.from(patients.ofRow, patient => ofPatients[patient]!),
    })
  })
  return eachMeasure(name =>
    percentileInterval(
      Float64Array.from(gaps, gap => gap[name]),
      level,
    ),
  )
}

function chanceGap(
  rows: AttributeRows,
  { classes, shuffles }: { classes: GroupClasses; shuffles: number },
  random: () => number,
): GroupMeasures {
  const { patients, groupOf } = rows
  const groupOfPatient = new Int32Array(patients.count)
  for (const [row, patient] of patients.ofRow.entries()) groupOfPatient[patient] = groupOf[row]! // the last row decides
  const gaps = Array.from({ length: shuffles }, () => {
    shuffle(groupOfPatient, random)
    return gapsOf(rows, { classes, groupOf: Int32Array.from(patients.ofRow, patient => groupOfPatient[patient]!) })
  })
  const mean = (name: keyof GroupMeasures): number => gaps.reduce((sum, gap) => sum + gap[name], 0) / gaps.length
  return eachMeasure(mean)
}
