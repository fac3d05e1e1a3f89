import type { FairGrpoStages } from './fair-grpo.ts'

/** How clusters of rewards agree with known labels in one domain. */
export interface ClusterAlignment {
  readonly domain: string
  /** Adjusted Rand index: 1 for the same parts, about 0 for parts that have nothing to do with each other. */
  readonly adjustedRand: number
  /** Mutual information over the mean of both entropies, in [0, 1]. */
  readonly mutualInformation: number
  /** Mean of what advantages of each label are multiplied by, 1 / divisor. */
  readonly meanScale: Readonly<Record<string, number>>
}

/**
 * Compares the groups of FairGRPO without demographics with labels that are known: a diagnosis, which nothing is computed
 * from.
 *
 * @param stages of `fair-grpo-nd`
 * @param labels [Q] of the questions, in the order of the stages; undefined where none is known: those are left out
 */
export function clusterAlignment(
  stages: Pick<FairGrpoStages, 'domains' | 'divisors'>,
  labels: readonly (string | undefined)[],
): ClusterAlignment[] {
  return stages.domains.map(({ domain, groups }) => {
    const rows = groups.flatMap((group, index) =>
      [...group.questions].flatMap(question => {
        const label = labels[question]
        return label === undefined ? [] : [{ question, group: index, label }]
      }),
    )
    const scales = Map.groupBy(rows, ({ label }) => label)
    const meanScale = [...scales].map(([label, own]) => {
      const sum = own.reduce((all, { question }) => all + 1 / stages.divisors[question]!, 0)
      return [label, sum / own.length]
    })
    const counts = contingency(rows)
    return {
      domain,
      adjustedRand: adjustedRand(counts),
      mutualInformation: normalisedInformation(counts),
      meanScale: Object.fromEntries(meanScale),
    }
  })
}

interface Contingency {
  /** Rows with a group and a label, wherever there are some. */
  readonly cells: readonly number[]
  readonly groups: readonly number[]
  readonly labels: readonly number[]
  readonly total: number
}

function contingency(rows: readonly { readonly group: number; readonly label: string }[]): Contingency {
  return {
    cells: occurrences(rows.map(({ group, label }) => `${group} ${label}`)),
    groups: occurrences(rows.map(({ group }) => group)),
    labels: occurrences(rows.map(({ label }) => label)),
    total: rows.length,
  }
}

/** How often each name occurs. */
function occurrences(names: readonly (string | number)[]): number[] {
  return [...Map.groupBy(names, name => name).values()].map(own => own.length)
}

/** Hubert and Arabie 1985; 1 where both put everything into one part, or everything apart. */
function adjustedRand({ cells, groups, labels, total }: Contingency): number {
  const [both, inGroups, inLabels, all] = [pairsIn(cells), pairsIn(groups), pairsIn(labels), pairsIn([total])]
  const expected = all === 0 ? 0 : (inGroups * inLabels) / all
  const most = (inGroups + inLabels) / 2
  return most === expected ? 1 : (both - expected) / (most - expected)
}

/** Pairs of rows that lie in one part. */
function pairsIn(counts: readonly number[]): number {
  return counts.reduce((sum, n) => sum + (n * (n - 1)) / 2, 0)
}

/** As scikit-learn's `normalized_mutual_info_score`: over the arithmetic mean of the entropies; 1 where both are 0. */
function normalisedInformation({ cells, groups, labels, total }: Contingency): number {
  const entropy = (counts: readonly number[]): number =>
    counts.reduce((sum, n) => sum - (n / total) * Math.log(n / total), 0)
  const [ofGroups, ofLabels] = [entropy(groups), entropy(labels)]
  if (ofGroups + ofLabels === 0) return 1
  const shared = ofGroups + ofLabels - entropy(cells)
  return Math.max(0, (2 * shared) / (ofGroups + ofLabels))
}
