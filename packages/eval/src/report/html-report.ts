import type { Sample } from '@qoq-med/data-climb'
import {
  escapeHtml,
  heatMapSvg,
  histogramSvg,
  htmlPage,
  htmlTable,
  intervalChartSvg,
  lineChartSvg,
} from '@qoq-med/report'
import { table2, table4, tableColumns } from '../paper/printed-tables.ts'
import type { EvaluationResults } from '../run/evaluation-results.ts'
import type { SampleRecord } from '../run/sample-log.ts'
import type { Interval } from '../statistics/bootstrap.ts'
import { chooseExamples, exampleHtml } from './answer-examples.ts'
import { domainName, domainsInOrder } from './domain-names.ts'
import { fairnessSection } from './fairness-section.ts'
import { percent, range, share, share4 } from './number-text.ts'

/** What a report shows beside the numbers. */
export interface ReportedAnswers {
  readonly records: readonly SampleRecord[]
  /** Their samples, whose media are drawn. */
  readonly samples: readonly Sample[]
}

/** Writes an evaluation as one HTML file that needs no other and no network. */
export async function renderHtmlReport(results: EvaluationResults, answers: ReportedAnswers): Promise<string> {
  const sections = [
    summarySection(results),
    await domainSection(results),
    datasetSection(results),
    paperSection(results),
    await confusionSection(results),
    await iouSection(results, answers.records),
    await calibrationSection(results),
    fairnessSection(results.fairness),
    await exampleSection(answers),
    failureSection(results),
    reproductionSection(results),
  ]
  return htmlPage(`Evaluation of ${results.policy}`, [styles, ...sections.filter(section => section !== '')])
}

const styles =
  '<style>.example { display: inline-block; vertical-align: top; width: 22rem; margin: 0 1rem 1.5rem 0 } .example figure { margin: 0 } summary:focus-visible, a:focus-visible { outline: 3px solid #0b61d8 } table { margin: .5rem 0 1rem }</style>'

function summarySection({ metrics, intervals, answers, sampling, mode, inputs, bootstrap }: EvaluationResults): string {
  const { overall } = metrics
  const rows = (['accuracy', 'f1', 'exactMatch'] as const).map(name => [
    { accuracy: 'balanced accuracy (eq. 12)', f1: 'macro-F1 (eq. 13)', exactMatch: 'exactly right' }[name],
    share(overall[name]),
    range(intervals.overall[name]),
  ])
  const ends = Object.entries(answers).map(([name, count]) => [endNames[name as keyof typeof answers], String(count)]) // the names of AnswerCounts
  const how =
    mode === 'generate' || mode === 'grammar'
      ? `temperature ${sampling.temperature}, at most ${sampling.maxNewTokens} tokens, seed ${sampling.seed}`
      : mode
  return [
    '<h2 id="summary">Summary</h2>',
    `<p>${overall.support} samples in ${overall.domains} domains; inputs: ${inputs}; answers: ${how}.</p>`,
    htmlTable(['overall (eq. 15)', '', percent(bootstrap.level)], rows),
    htmlTable(['what came of the samples', ''], ends),
  ].join('\n')
}

const endNames = {
  answered: 'answered',
  unparseable: 'no boxed answer',
  cutOff: 'cut off at the limit of tokens',
  refused: 'refused',
  failed: 'failed',
} as const

async function domainSection({ metrics, intervals }: EvaluationResults): Promise<string> {
  const names = domainsInOrder(metrics.domains)
  const points = names.flatMap(domain =>
    (['accuracy', 'f1'] as const).map(name => ({
      name: domainName(domain),
      series: name === 'accuracy' ? 'balanced accuracy' : 'macro-F1',
      value: metrics.domains[domain]![name],
      ...endsOf(intervals.domains[domain]?.[name]),
    })),
  )
  const chart = await intervalChartSvg({ title: 'Domains, with intervals over patients', xTitle: 'share', points })
  return `<h2 id="domains">Domains</h2>\n${chart}`
}

function endsOf(interval: Interval | undefined): { readonly lower: number; readonly upper: number } {
  return { lower: interval?.lower ?? Number.NaN, upper: interval?.upper ?? Number.NaN }
}

function datasetSection({ metrics, intervals, tasks, wordOverlap }: EvaluationResults): string {
  const rows = Object.entries(metrics.datasets).map(([name, one]) => [
    `${one.domain}/${name}`,
    share4(one.accuracy),
    range(intervals.datasets[name]?.accuracy),
    share4(one.sensitivity),
    share4(one.specificity),
    share4(one.f1),
    range(intervals.datasets[name]?.f1),
    share4(wordOverlap[name]?.f1 ?? Number.NaN),
    String(one.support),
  ])
  const heads = [
    'dataset',
    'accuracy',
    'interval',
    'sensitivity',
    'specificity',
    'F1',
    'interval',
    'word F1',
    'samples',
  ]
  const taskRows = Object.entries(tasks).map(([name, { accuracy, f1 }]) => [name, share(accuracy), share(f1)])
  return [
    '<h2 id="datasets">Datasets</h2>',
    htmlTable(heads, rows),
    ...(taskRows.length > 0 ? ['<h3>MIMIC-IV (eqs. 16-19)</h3>', htmlTable(['task', 'accuracy', 'F1'], taskRows)] : []),
  ].join('\n')
}

function paperSection({ policy, metrics }: EvaluationResults): string {
  const columns = tableColumns.filter(column => column === 'overall' || metrics.domains[column])
  if (columns.length < 2) return ''
  const own = columns.flatMap(column => {
    const level = column === 'overall' ? metrics.overall : metrics.domains[column]!
    return [share(level.accuracy), share(level.f1)]
  })
  const printed = [...table2, ...table4].map(row => [
    row.method,
    ...columns.flatMap(column => {
      const index = tableColumns.indexOf(column)
      return [share(row.accuracy[index]!), share(row.f1[index]!)]
    }),
  ])
  return [
    '<h2 id="paper">Beside the paper (tables 2 and 4)</h2>',
    '<p>Other patients, other questions and, where domains are missing, another overall row: a frame, not a comparison.</p>',
    htmlTable(
      ['model', ...columns.flatMap(column => [`${column === 'overall' ? 'Overall' : domainName(column)} Acc`, 'F1'])],
      [[policy, ...own], ...printed],
    ),
  ].join('\n')
}

/** Larger matrices are tables of their own right, and are in results.json. */
const mostClasses = 16

async function confusionSection({ confusion }: EvaluationResults): Promise<string> {
  const shown = Object.entries(confusion).filter(([, { classes }]) => classes.length <= mostClasses)
  const charts = await Promise.all(
    shown.map(([title, { classes, counts }]) =>
      heatMapSvg({ title, xTitle: 'answered', yTitle: 'true', names: classes, counts }),
    ),
  )
  return charts.length === 0 ? '' : `<h2 id="confusion">Confusion</h2>\n<div class="charts">${charts.join('')}</div>`
}

async function iouSection({ iou }: EvaluationResults, records: readonly SampleRecord[]): Promise<string> {
  const values = records.flatMap(record => record.iou ?? [])
  if (values.length === 0) return ''
  const rows = Object.entries(iou).map(([name, { mean, support }]) => [name, share(mean), String(support)])
  const chart = await histogramSvg({ title: 'Box IoU (eq. 20)', xTitle: 'IoU', values })
  return ['<h2 id="boxes">Boxes</h2>', chart, htmlTable(['dataset', 'IoU', 'samples'], rows)].join('\n')
}

async function calibrationSection({ probabilities }: EvaluationResults): Promise<string> {
  const datasets = Object.entries(probabilities)
  if (datasets.length === 0) return ''
  const series = datasets.map(([name, { reliability }]) => ({
    name,
    points: reliability.map(({ predicted, observed }) => ({ x: predicted, y: observed })),
  }))
  const diagonal = { name: 'calibrated', points: [0, 1].map(x => ({ x, y: x })) }
  const chart = await lineChartSvg({
    title: 'Observed share by probability',
    xTitle: 'probability',
    series: [...series, diagonal],
  })
  const rows = datasets.flatMap(([name, one]) =>
    Object.entries(one.perLabel).map(([label, { auroc, averagePrecision, brier, calibrationError, support }]) => [
      name,
      label,
      `${share(auroc.value)} (${range(auroc)})`,
      `${share(averagePrecision.value)} (${range(averagePrecision)})`,
      share(brier),
      share(calibrationError),
      String(support),
    ]),
  )
  const heads = ['dataset', 'label', 'AUROC', 'average precision', 'Brier', 'ECE', 'positives']
  return ['<h2 id="calibration">Probabilities</h2>', chart, htmlTable(heads, rows)].join('\n')
}

async function exampleSection({ records, samples }: ReportedAnswers): Promise<string> {
  const byId = new Map(samples.map(sample => [sample.id, sample]))
  const drawn: string[] = []
  for (const example of chooseExamples(records))
    drawn.push(await exampleHtml(example, byId.get(example.record.sampleId)))
  return [
    '<h2 id="examples">Examples</h2>',
    '<p>Blue boxes are true, yellow ones answered.</p>',
    drawn.join('\n'),
  ].join('\n')
}

/** Failures beyond this many are counted, not listed. */
const listedFailures = 50

function failureSection({ failures, wrong }: EvaluationResults): string {
  if (failures.length === 0) return ''
  const rows = failures.slice(0, listedFailures).map(({ id, message }) => [id, message])
  return [
    '<h2 id="failures">Failures</h2>',
    `<p>${failures.length} samples could not be used: ${wrong} count as wrong, ${failures.length - wrong} nowhere above.</p>`,
    htmlTable(['sample', 'why'], rows),
  ].join('\n')
}

function reproductionSection({ config, versions, bootstrap, dataFingerprint, fingerprint }: EvaluationResults): string {
  const facts = { ...config, ...versions, bootstrap, dataFingerprint, fingerprint }
  const rows = Object.entries(facts).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  const { command } = config
  const shown = typeof command === 'string' ? `<pre>${escapeHtml(command)}</pre>` : ''
  return ['<h2 id="reproduce">How to make it again</h2>', shown, htmlTable(['', ''], rows)].join('\n')
}
