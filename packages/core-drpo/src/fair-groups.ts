import type { FairGrpoOptions } from './fair-grpo-options.ts'
import { uniqueVectors, type WeightedPoints } from './k-means/unique-vectors.ts'
import type { QuestionGroups } from './reward-batch.ts'
import { clusterRewards } from './reward-clusters.ts'
import { inverseClusterSizeMean } from './temperature.ts'

/** One labelled group of a history. */
export interface FairGroupHistory {
  readonly group: string
  /** Questions. */
  readonly count: number
  /** Sum of their mean rewards. */
  readonly sum: number
}

/** What a history says of one domain. */
export interface FairDomainHistory {
  readonly labelled: readonly FairGroupHistory[]
  readonly unlabelled: WeightedPoints | undefined
}

/** One group of a domain: the questions of a demographic label, or a cluster of those without one. */
export interface FairGroup {
  /** The label, or `cluster 1`, the hardest first. */
  readonly name: string
  readonly isCluster: boolean
  /** Question indices of this batch, ascending. */
  readonly questions: Int32Array
  /** N_g, questions (all batches so far with a running history). */
  readonly count: number
  /** r̄_g, mean reward. */
  readonly mean: number
  /** T_g = √N_g · r̄_g, without a bound. */
  readonly temperature: number
}

/** One domain with its groups. */
export interface FairDomain {
  readonly domain: string
  /** N_d */
  readonly count: number
  /** r̄_d */
  readonly mean: number
  /** T_d = √N_d · r̄_d, without a bound. */
  readonly temperature: number
  readonly groups: readonly FairGroup[]
}

/** One domain's questions of a batch. */
export interface DomainRows {
  readonly domain: string
  readonly questions: Int32Array
  /** [B] */
  readonly rewards: ArrayLike<number>
  readonly groups: QuestionGroups
  readonly groupSize: number
  /** [Q] of the batch; undefined where a question has none. */
  readonly labels: readonly (string | undefined)[]
}

/** A grouped domain, and what a history keeps of it. */
export interface GroupedDomain {
  readonly domain: FairDomain
  /** Labelled groups of this batch and of the history. */
  readonly labelled: readonly FairGroupHistory[]
  /** Reward vectors of questions without a label, of this batch and of the history. */
  readonly unlabelled: WeightedPoints | undefined
  readonly groupSize: number
}

/** Groups one domain's questions by label, clusters the rest, and computes all temperatures. */
export function groupDomain(rows: DomainRows, past: FairDomainHistory, options: FairGrpoOptions): GroupedDomain {
  const { domain, questions } = rows
  const named = Map.groupBy(questions, question => rows.labels[question] ?? restName(options))
  const rest = named.get(undefined) ?? []
  named.delete(undefined)
  const labelled = labelledGroups(rows, named, past)
  const clustered = clusteredGroups(rows, rest, past, options)
  const groups = [...labelled, ...clustered.groups]
  // A label of earlier batches counts in its domain, also where this batch has none of it.
  const absent = past.labelled.filter(({ group }) => !named.has(group))
  const all = [...groups.map(({ count, mean }) => ({ count, mean })), ...absent.map(meanOf)]
  const count = all.reduce((sum, one) => sum + one.count, 0)
  const mean = domainMean(all, clustered, count, options)
  return {
    domain: { domain, count, mean, temperature: Math.sqrt(count) * mean, groups },
    labelled: [...labelled.map(({ name, count: n, mean: m }) => ({ group: name, count: n, sum: n * m })), ...absent],
    unlabelled: clustered.points,
    groupSize: rows.groupSize,
  }
}

/** With `labels-only`, questions without a label are a group like any other. */
function restName({ groups }: FairGrpoOptions): string | undefined {
  return groups === 'labels-only' ? 'unlabelled' : undefined
}

function meanOf({ count, sum }: FairGroupHistory): { readonly count: number; readonly mean: number } {
  return { count, mean: sum / count }
}

function labelledGroups(
  { rewards, groups }: DomainRows,
  named: ReadonlyMap<string | undefined, readonly number[]>,
  past: FairDomainHistory,
): FairGroup[] {
  const entries = [...named].flatMap(([name, own]) => (name === undefined ? [] : [[name, own] as const]))
  return entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, own]) => {
      const earlier = past.labelled.find(({ group }) => group === name) ?? { count: 0, sum: 0 }
      const count = own.length + earlier.count
      const sum = own.reduce((all, question) => all + questionMean(question, rewards, groups), 0) + earlier.sum
      return fairGroup({ name, isCluster: false, questions: own, count, mean: sum / count })
    })
}

function fairGroup(parts: {
  readonly name: string
  readonly isCluster: boolean
  readonly questions: readonly number[]
  readonly count: number
  readonly mean: number
}): FairGroup {
  const { count, mean } = parts
  return { ...parts, questions: Int32Array.from(parts.questions), temperature: Math.sqrt(count) * mean }
}

function questionMean(question: number, rewards: ArrayLike<number>, { starts, responses }: QuestionGroups): number {
  const [start, end] = [starts[question]!, starts[question + 1]!]
  let sum = 0
  for (let i = start; i < end; i++) sum += rewards[responses[i]!]!
  return sum / (end - start)
}

interface Clustered {
  readonly groups: readonly FairGroup[]
  readonly points: WeightedPoints | undefined
  /** Clusters with no question in this batch are none of its groups, but have a mean. */
  readonly means: Float64Array
  readonly sizes: Float64Array
}

function clusteredGroups(
  { rewards, groups, groupSize }: DomainRows,
  rest: readonly number[],
  { unlabelled: past }: FairDomainHistory,
  options: FairGrpoOptions,
): Clustered {
  if (rest.length === 0) return { groups: [], points: past, means: new Float64Array(), sizes: new Float64Array() }
  const current = rest.flatMap(question =>
    Array.from(groups.responses.subarray(groups.starts[question], groups.starts[question + 1]), i => rewards[i]!),
  )
  const vectors = Float64Array.from([...current, ...(past?.vectors ?? [])])
  const counts = Float64Array.from([...rest.map(() => 1), ...(past?.weights ?? [])])
  const { points, pointOf } = uniqueVectors(vectors, groupSize, counts)
  const { clusterOf, sizes, means } = clusterRewards(points, options)
  const members = Map.groupBy(rest.keys(), row => clusterOf[pointOf[row]!]!)
  const found = [...members].toSorted(([a], [b]) => a - b)
  return {
    groups: found.map(([cluster, own]) =>
      fairGroup({
        name: `cluster ${cluster + 1}`,
        isCluster: true,
        questions: own.map(row => rest[row]!), // rows of rest
        count: sizes[cluster]!,
        mean: means[cluster]!,
      }),
    ),
    points,
    means,
    sizes,
  }
}

function domainMean(
  all: readonly { readonly count: number; readonly mean: number }[],
  { means, sizes }: Clustered,
  count: number,
  options: FairGrpoOptions,
): number {
  if (options.domainMean === 'inverseClusterSize' && means.length > 0) return inverseClusterSizeMean(means, sizes)
  return all.reduce((sum, one) => sum + one.count * one.mean, 0) / count
}
