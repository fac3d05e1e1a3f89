import type { Interval } from '../statistics/bootstrap.ts'
import type { AveragedMetrics } from '../metrics/dataset-metrics.ts'
import type { EvaluationResults } from '../run/evaluation-results.ts'

/** The heads of table 2 by domain, in its order; ECG and multimodal follow, which that table does not have. */
const tableHeads: Readonly<Record<string, string>> = {
  chest_xray: 'CXR',
  mammography: 'Mammo.',
  dermoscopy: 'Dermoscopy',
  ct: 'CT Scan',
  fundus: 'Fundus',
  ultrasound: 'Ultrasound',
  mri: 'MRI',
  pathology: 'Pathology',
  ecg: 'ECG',
  multimodal: 'Multimodal',
}

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
    `- without a boxed answer: ${share(metrics.overall.unparseable)} of the samples (mean over domains)`,
    `- ended: ${Object.entries(results.finish)
      .map(([finish, count]) => `${finish} ${count}`)
      .join(', ')}`,
    `- sampling: temperature ${sampling.temperature}, top-p ${sampling.topP}, at most ${sampling.maxNewTokens} tokens, seed ${sampling.seed}`,
    `- intervals: ${percent(bootstrap.level)} bootstrap over patients, ${bootstrap.resamples} redraws, seed ${bootstrap.seed}; they cannot be drawn where every redraw is the same (all right, all wrong) or there are fewer than five patients`,
    '',
  ].join('\n')
}

function domainTable({ policy, metrics, intervals, bootstrap }: EvaluationResults): string[] {
  const domains = [...Object.keys(tableHeads), ...Object.keys(metrics.domains)].filter(
    (domain, index, all) => metrics.domains[domain] !== undefined && all.indexOf(domain) === index,
  )
  const heads = [...domains.map(domain => tableHeads[domain] ?? domain), 'Overall']
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

function failureSection({ failures }: EvaluationResults): string[] {
  if (failures.length === 0) return []
  const lines = failures.slice(0, listedFailures).map(({ id, message }) => `- ${id}: ${message}`)
  const more = failures.length - lines.length
  return [
    '## Left out',
    '',
    `${failures.length} samples could not be used and count nowhere above:`,
    '',
    ...lines,
    ...(more > 0 ? [`- and ${more} more, in results.json`] : []),
    '',
  ]
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** As table 2 prints: .686. */
function share(value: number): string {
  return value.toFixed(3).replace(/^0\./, '.')
}

/** As tables 6-12 print: 0.6790. */
function share4(value: number): string {
  return value.toFixed(4)
}

function percent(level: number): string {
  return `${Number((level * 100).toFixed(2))} %`
}

function range(interval: Interval | undefined): string {
  if (interval === undefined) return ''
  return Number.isFinite(interval.lower) ? `${share(interval.lower)}-${share(interval.upper)}` : 'cannot be drawn'
}
