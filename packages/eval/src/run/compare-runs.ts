import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { rowsByDataset } from '../metrics/compute-metrics.ts'
import { evalErrors } from '../errors.ts'
import { metricRow } from './evaluation-results.ts'
import type { SubgroupRow } from '../fairness/attribute-rows.ts'
import type { FairnessOptions } from '../fairness/fairness-metrics.ts'
import { fairnessDifferences, type GapDifference } from '../fairness/fairness-difference.ts'
import { holmAdjusted } from '../statistics/holm.ts'
import { mcnemar, type McnemarResult } from '../statistics/mcnemar.ts'
import { type PairedDifference, pairedDifferences } from '../statistics/metric-intervals.ts'
import type { IntervalOptions, PerIntervalMetric, PerLevel } from '../statistics/metric-distributions.ts'
import { encodeOutcomes, type MetricRow } from '../metrics/outcomes.ts'
import { readSampleLog, type SampleRecord } from './sample-log.ts'

/** What two evaluations differ in, over the samples that both answered. */
export interface RunComparison {
  /** Names of the policies. */
  readonly policies: readonly [string, string]
  /** Samples that both answered. */
  readonly samples: number
  /** Samples that only one of them answered, left out. */
  readonly leftOut: number
  /** Second minus first, by a paired bootstrap over patients. */
  readonly differences: PerLevel<PerIntervalMetric<PairedDifference>>
  /** Exactly right answers per dataset, by McNemar's test, with p also after Holm's correction over the datasets. */
  readonly exactMatch: Readonly<Record<string, McnemarResult & { readonly adjustedP: number }>>
  /** How the gaps between subgroups differ, where groups are known. */
  readonly fairness: readonly GapDifference[]
}

/** The part of results.json that a comparison reads. */
const Results = z.object({
  schemaVersion: z.literal([1, 2]),
  /** Label lists; version 1 has them as keys of the metrics. */
  labels: z.record(z.string(), z.array(z.string())).optional(),
  groups: z.record(z.string(), z.record(z.string(), z.string())).optional(),
  policy: z.string(),
  metrics: z.object({
    datasets: z.record(z.string(), z.object({ perLabel: z.record(z.string(), z.unknown()) })),
  }),
})

/**
 * Compares two finished evaluations, the folders that `evaluate` left.
 *
 * @throws EVAL_NO_RUN when a folder holds no finished evaluation
 * @throws EVAL_NOTHING_IN_COMMON when no sample was answered in both, EVAL_TRUTHS_DIFFER when one has two truths
 * @throws EVAL_LOG_UNREADABLE, EVAL_VALUE_OUT_OF_RANGE
 */
export async function compareRuns(
  first: string,
  second: string,
  options: IntervalOptions & Pick<FairnessOptions, 'minPatients'> = {},
): Promise<RunComparison> {
  const [before, after] = await Promise.all([readRun(first), readRun(second)])
  const answered = new Map(after.records.map(record => [record.sampleId, record]))
  const pairs = before.records.flatMap(record => {
    const other = answered.get(record.sampleId)
    if (other === undefined) return []
    if (other.truth.join() !== record.truth.join())
      throw evalErrors.TRUTHS_DIFFER({ first, second, sampleId: record.sampleId })
    return [[subgroupRow(record, before.groups), subgroupRow(other, before.groups)] as const]
  })
  if (pairs.length === 0) throw evalErrors.NOTHING_IN_COMMON({ first, second })
  const rows = [pairs.map(([row]) => row), pairs.map(([, row]) => row)] as const
  return {
    policies: [before.policy, after.policy],
    samples: pairs.length,
    leftOut: before.records.length + after.records.length - 2 * pairs.length,
    differences: pairedDifferences(rows[0], rows[1], before.labels, options),
    exactMatch: exactMatchByDataset(rows, before.labels),
    fairness: rows[0].some(({ groups }) => groups) ? fairnessDifferences(...rows, before.labels, options) : [],
  }
}

/** A record with the groups of its patient, as one run knew them. */
function subgroupRow(record: SampleRecord, groups: FinishedRun['groups']): SubgroupRow {
  const own = groups && Object.hasOwn(groups, record.sampleId) ? groups[record.sampleId] : undefined
  return { ...metricRow(record), ...(own && { groups: own }) }
}

/** A finished evaluation, as `evaluate` left it. */
export interface FinishedRun {
  readonly policy: string
  readonly labels: Readonly<Record<string, readonly string[]>>
  readonly records: readonly SampleRecord[]
  readonly groups: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined
}

/** Reads a finished evaluation. @throws EVAL_NO_RUN, EVAL_LOG_UNREADABLE */
export async function readRun(dir: string): Promise<FinishedRun> {
  const { policy, metrics, labels: lists, groups } = await readResults(dir)
  const ofMetrics = Object.entries(metrics.datasets).map(([dataset, { perLabel }]) => [dataset, Object.keys(perLabel)])
  const records = [...(await readSampleLog(path.join(dir, 'samples.jsonl'))).values()]
  return { policy, labels: lists ?? Object.fromEntries(ofMetrics), records, groups }
}

async function readResults(dir: string): Promise<z.output<typeof Results>> {
  try {
    return Results.parse(JSON.parse(await readFile(path.join(dir, 'results.json'), 'utf8')))
  } catch (cause) {
    throw evalErrors.NO_RUN({ dir }, { cause })
  }
}

function exactMatchByDataset(
  [first, second]: readonly [readonly MetricRow[], readonly MetricRow[]],
  labels: Readonly<Record<string, readonly string[]>>,
): RunComparison['exactMatch'] {
  const others = rowsByDataset(second)
  const results = [...rowsByDataset(first)].map(([dataset, own]) => {
    const exact = (rows: readonly MetricRow[]): Uint8Array => encodeOutcomes(rows, labels[dataset] ?? []).exact
    return [dataset, mcnemar(exact(own), exact(others.get(dataset) ?? []))] as const
  })
  const adjusted = holmAdjusted(results.map(([, { pValue }]) => pValue))
  return Object.fromEntries(results.map(([dataset, one], index) => [dataset, { ...one, adjustedP: adjusted[index]! }])) // one each
}
