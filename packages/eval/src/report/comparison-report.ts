import { escapeHtml, htmlPage, htmlTable, intervalChartSvg } from '@qoq-med/report'
import type { RunComparison } from '../run/compare-runs.ts'
import type { PairedDifference } from '../statistics/metric-intervals.ts'
import type { PerIntervalMetric } from '../statistics/metric-distributions.ts'
import { domainName, domainsInOrder } from './domain-names.ts'
import { pValue, range, share } from './number-text.ts'

/**
 * Writes comparisons with one run as an HTML page that needs no other file: differences by domain as in figure 2a, tables
 * with intervals, corrected p-values and the smallest difference that could have been found.
 *
 * @param comparisons each of the first run with another one
 */
export async function renderComparisonReport(comparisons: readonly RunComparison[]): Promise<string> {
  const [baseline = ''] = comparisons.map(({ policies }) => policies[0])
  const sections = await Promise.all(comparisons.map(comparisonSection))
  return htmlPage(`Compared with ${baseline}`, [
    '<p>Differences are a run minus the first one; above 0, the run is better. Intervals and p-values redraw patients, both runs alike, and p is corrected by Holm over datasets or domains; the test of McNemar takes every sample for itself, and gaps of subgroups are tested by exchanging the answers of patients. Samples that only one run answered are left out, also where that run counted them as wrong. A difference below the smallest detectable one is not shown to be there, nor shown to be absent.</p>',
    ...sections,
  ])
}

async function comparisonSection(comparison: RunComparison): Promise<string> {
  const { policies, samples, leftOut, differences, exactMatch, fairness } = comparison
  const domains = domainsInOrder(differences.domains)
  const points = [...domains, 'overall'].map(name => {
    const one = name === 'overall' ? differences.overall : differences.domains[name]!
    const { observed, lower, upper } = one.f1
    return { name: name === 'overall' ? 'Overall' : domainName(name), value: observed, lower, upper }
  })
  const title = `Macro-F1: ${policies[1]} minus ${policies[0]}`
  const chart = await intervalChartSvg({ title, xTitle: 'difference', points, mark: 0 })
  const rows = [
    ...Object.entries(differences.datasets).map(([name, one]) => differenceRow(name, one)),
    ...domains.map(name => differenceRow(domainName(name), differences.domains[name]!)),
    differenceRow('Overall', differences.overall),
  ]
  const tests = Object.entries(exactMatch).map(([dataset, { onlyFirst, onlySecond, pValue: p, adjustedP }]) => [
    dataset,
    String(onlyFirst),
    String(onlySecond),
    pValue(p),
    pValue(adjustedP),
  ])
  const gaps = fairness.map(({ dataset, attribute, measure, difference, pValue: p, adjustedP, ...interval }) => [
    dataset,
    attribute,
    measure,
    share(difference),
    range(interval),
    pValue(p),
    pValue(adjustedP),
  ])
  return [
    `<h2>${escapeHtml(`${policies[1]} minus ${policies[0]}`)}</h2>`,
    `<p>${samples} samples that both answered; ${leftOut} were answered by one alone and are left out.</p>`,
    chart,
    htmlTable(differenceHeads, rows),
    '<h3>Exactly right answers (McNemar)</h3>',
    htmlTable(['dataset', `only ${policies[0]}`, `only ${policies[1]}`, 'p', 'p, corrected'], tests),
    ...(gaps.length > 0
      ? [
          '<h3>Gaps between subgroups</h3>',
          htmlTable(['dataset', 'attribute', 'measure', 'difference', 'interval', 'p', 'p, corrected'], gaps),
        ]
      : []),
  ].join('\n')
}

const differenceHeads = [
  '',
  'accuracy',
  'interval',
  'p, corrected',
  'F1',
  'interval',
  'p, corrected',
  'smallest detectable F1 difference',
]

function differenceRow(name: string, { accuracy, f1 }: PerIntervalMetric<PairedDifference>): string[] {
  return [name, ...differenceCells(accuracy), ...differenceCells(f1), share(f1.detectable)]
}

function differenceCells(difference: PairedDifference): string[] {
  return [share(difference.observed), range(difference), pValue(difference.adjustedP)]
}
