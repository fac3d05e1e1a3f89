import { escapeHtml, htmlTable } from '@qoq-med/report'
import type { AttributeFairness, FairnessMetrics, GroupRow } from '../fairness/fairness-metrics.ts'
import { groupMeasures } from '../fairness/group-measures.ts'
import { range, share } from './number-text.ts'

/** The subgroups of an evaluation as HTML; nothing where none is known. */
export function fairnessSection(fairness: FairnessMetrics | undefined): string {
  if (!fairness) return ''
  const { overall } = fairness
  const summary = overall
    ? htmlTable(
        ['measure', 'mean of datasets'],
        [
          ['predictive parity gap (FDR)', share(overall.predictiveParityGap)],
          ['equal opportunity difference (TPR)', share(overall.equalOpportunityDifference)],
          ['FPR gap', share(overall.fprGap)],
          ['accuracy gap', share(overall.gap.accuracy)],
          ['accuracy, standard deviation over groups', share(overall.deviation.accuracy)],
          ['F1 gap', share(overall.gap.f1)],
          ['F1, standard deviation over groups', share(overall.deviation.f1)],
          ['accuracy / (1 + deviation)', share(overall.accuracyEs)],
          ['F1 / (1 + deviation)', share(overall.f1Es)],
        ],
      )
    : '<p>No attribute has two groups large enough to be compared.</p>'
  const tables = Object.entries(fairness.datasets).flatMap(([dataset, { attributes }]) =>
    Object.entries(attributes).map(([attribute, one]) => attributeTable(`${dataset}, ${attribute}`, one)),
  )
  return ['<h2 id="subgroups">Subgroups</h2>', summary, ...tables].join('\n')
}

const heads = ['group', 'patients', 'samples', 'accuracy', 'F1', 'TPR', 'FPR', 'FDR', 'never predicted']

function attributeTable(
  title: string,
  { groups, mean, gap, worst, gapIntervals, chanceGap }: AttributeFairness,
): string {
  const rows = Object.entries(groups).map(([name, row]) => groupRow(name, row))
  const gaps = gap
    ? [
        ...(mean ? [['mean of groups', '', '', ...groupMeasures.map(name => share(mean[name])), '']] : []),
        ['gap', '', '', ...groupMeasures.map(name => share(gap[name])), ''],
        ...(worst ? [['worst group', '', '', ...groupMeasures.map(name => worst[name]), '']] : []),
        ...(gapIntervals ? [['interval', '', '', ...groupMeasures.map(name => range(gapIntervals[name])), '']] : []),
        ...(chanceGap ? [['by chance', '', '', ...groupMeasures.map(name => share(chanceGap[name])), '']] : []),
      ]
    : []
  return `<h3>${escapeHtml(title)}</h3>${htmlTable(heads, [...rows, ...gaps])}`
}

function groupRow(name: string, row: GroupRow): string[] {
  return [
    row.isRanked ? name : `${name} (too few to compare)`,
    String(row.patients),
    String(row.support),
    ...groupMeasures.map(measure => share(row[measure])),
    share(row.neverPredicted),
  ]
}
