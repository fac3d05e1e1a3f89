import type { AveragedMetrics } from '../metrics/dataset-metrics.ts'
import type { EvaluationResults } from '../run/evaluation-results.ts'
import { domainName, domainsInOrder } from './domain-names.ts'
import { percent, range, share, share4 } from './number-text.ts'

/** Writes an evaluation as Markdown: a row in the shape of table 2, the datasets as in tables 6-12, IoU, and how it was made. */
export function renderReport(results: EvaluationResults): string {
  const { policy, metrics, sampling, bootstrap } = results
  return [
    `# Evaluation of ${policy}`,
    '',
    'Research use only; not a medical device.',
    '',
    `Balanced accuracy (eq. 12) and macro-F1 (eq. 13) per domain (eq. 14) and overall (eq. 15), over ${metrics.overall.support} samples.`,
    '',
    ...domainTable(results),
    '',
    '## Datasets',
    '',
    ...datasetTable(results),
    '',
    ...iouSection(results),
    ...failureSection(results),
    '## Answers',
    '',
    `- ${results.answers.answered} answered, ${results.answers.unparseable} without a boxed answer, ${results.answers.cutOff} cut off at the limit of tokens, ${results.answers.refused} refused, ${results.answers.failed} failed`,
    `- ended without a boxed answer: ${share(metrics.overall.unparseable)} of the samples (mean over domains; cut-off and refused ones are counted apart)`,
    `- ended: ${Object.entries(results.finish)
      .map(([finish, count]) => `${finish} ${count}`)
      .join(', ')}`,
    `- sampling: temperature ${sampling.temperature}, top-p ${sampling.topP}, at most ${sampling.maxNewTokens} tokens, seed ${sampling.seed}`,
    `- intervals: ${percent(bootstrap.level)} bootstrap over patients, ${bootstrap.resamples} redraws, seed ${bootstrap.seed}; they cannot be drawn where every redraw is the same (all right, all wrong) or there are fewer than five patients`,
    '',
  ].join('\n')
}

function domainTable({ policy, metrics, intervals, bootstrap }: EvaluationResults): string[] {
  const domains = domainsInOrder(metrics.domains)
  const heads = [...domains.map(domainName), 'Overall']
  const levels = [...domains.map(domain => metrics.domains[domain]!), metrics.overall] // filtered above
  const bounds = [...domains.map(domain => intervals.domains[domain]), intervals.overall]
  return [
    row(['Model', ...heads.flatMap(head => [`${head} Acc`, `${head} F1`])]),
    row(Array.from({ length: 1 + 2 * heads.length }, () => '---')),
    row([policy, ...levels.flatMap(level => [share(level.accuracy), share(level.f1)])]),
    row([percent(bootstrap.level), ...bounds.flatMap(bound => [range(bound?.accuracy), range(bound?.f1)])]),
  ]
}

function datasetTable({ metrics }: EvaluationResults): string[] {
  const line = (name: string, m: AveragedMetrics & { readonly support: number }): string =>
    row([
      name,
      ...[m.accuracy, m.sensitivity, m.specificity, m.f1, m.precision, m.recall].map(share4),
      String(m.support),
    ])
  return [
    row(['Dataset', 'Accuracy', 'Sensitivity', 'Specificity', 'F1', 'Precision', 'Recall', 'Samples']),
    row(Array.from({ length: 8 }, () => '---')),
    ...Object.entries(metrics.datasets).map(([name, one]) => line(`${one.domain.toUpperCase()}/${name}`, one)),
    ...Object.entries(metrics.domains).map(([name, one]) => line(name.toUpperCase(), one)),
    line('Overall', metrics.overall),
  ]
}

function iouSection({ iou }: EvaluationResults): string[] {
  const entries = Object.entries(iou)
  if (entries.length === 0) return []
  const rows = entries.map(([name, { mean, support }]) => row([name, share(mean), String(support)]))
  return ['## Box IoU (eq. 20)', '', row(['Dataset', 'IoU', 'Samples']), row(['---', '---', '---']), ...rows, '']
}

/** Failures beyond this many are counted, not listed. */
const listedFailures = 50

function failureSection({ failures, wrong }: EvaluationResults): string[] {
  if (failures.length === 0) return []
  const lines = failures.slice(0, listedFailures).map(({ id, message }) => `- ${id}: ${message}`)
  const more = failures.length - lines.length
  return [
    '## Left out',
    '',
    `${failures.length} samples could not be used: ${wrong} count as wrong, ${failures.length - wrong} nowhere above:`,
    '',
    ...lines,
    ...(more > 0 ? [`- and ${more} more, in results.json`] : []),
    '',
  ]
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
