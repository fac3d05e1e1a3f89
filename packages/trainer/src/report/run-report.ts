import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FailedSample } from '@qoq-med/data-climb'
import { escapeHtml, htmlPage, htmlTable, lineChartSvg } from '@qoq-med/report'
import { writeWhole } from '@qoq-med/whole-file'
import { mean } from '../means.ts'
import { stepHazards } from '../rollout/step-hazards.ts'
import { readLeftOut } from '../run/left-out-samples.ts'
import { requireRun } from './run-facts.ts'
import { readMetrics, readRollouts, type MetricsLine, type RolloutLine } from './run-log.ts'
import { stageCharts } from './stage-charts.ts'

/** What a report shows beside the run. */
export interface RunReportOptions {
  readonly title?: string | undefined
  /** Sections of HTML before those of the run, such as an evaluation. */
  readonly sections?: readonly string[] | undefined
}

/** Rollouts that a report prints of a stage's last step. */
const printedRollouts = 4

/**
 * Writes `report.html` into a run folder: every stage with its curves, by domain where there are domains, and the last
 * rollouts with their rewards. One file that needs no other.
 *
 * @returns the path of the report
 * @throws TRAINER_NO_RUN when the folder holds no run
 */
export async function writeRunReport(runFolder: string, options: RunReportOptions = {}): Promise<string> {
  const file = join(runFolder, 'report.html')
  await writeWhole(file, await renderRunReport(runFolder, options))
  return file
}

async function renderRunReport(runFolder: string, { title, sections = [] }: RunReportOptions): Promise<string> {
  const [facts, metrics, rollouts, leftOut] = await Promise.all([
    requireRun(runFolder),
    readMetrics(runFolder),
    readRollouts(runFolder),
    readLeftOut(runFolder),
  ])
  const names = [...new Set(metrics.map(({ stage }) => stage))]
  const stages = names.map(name => ({
    name,
    metrics: metrics.filter(({ stage }) => stage === name),
    rollouts: rollouts.filter(({ stage }) => stage === name),
  }))
  return htmlPage(title ?? `Training run ${facts.name}`, [
    ...sections,
    '<h2>Stages</h2>',
    stageTable(stages),
    ...(await Promise.all(stages.map(stage => stageSection(runFolder, stage)))),
    ...leftOutSection(leftOut),
    '<h2>How it was made</h2>',
    htmlTable(
      ['', ''],
      Object.entries(facts).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    ),
  ])
}

/** Samples beyond this many are counted, not listed. */
const listedSamples = 50

function leftOutSection(samples: readonly FailedSample[]): string[] {
  if (samples.length === 0) return []
  const more = samples.length > listedSamples ? `, the first ${listedSamples} of which are` : ''
  return [
    '<h2>Left out</h2>',
    `<p>${samples.length} samples could not be used${more}:</p>`,
    htmlTable(
      ['sample', 'why'],
      samples.slice(0, listedSamples).map(({ id, message }) => [id, message]),
    ),
  ]
}

/** What a report knows of a stage. */
interface StageLog {
  readonly name: string
  readonly metrics: readonly MetricsLine[]
  readonly rollouts: readonly RolloutLine[]
}

function stageTable(stages: readonly StageLog[]): string {
  const heads = ['stage', 'algorithm', 'steps', 'measure', 'first tenth', 'last tenth', 'time']
  return htmlTable(heads, stages.map(stageRow))
}

function stageRow({ name, metrics: lines }: StageLog): string[] {
  const metrics = lines.filter(({ type }) => type === undefined)
  const tenth = Math.max(1, Math.floor(metrics.length / 10))
  const measure = metrics.some(line => line['reward'] !== undefined) ? 'reward' : 'loss'
  const meanOf = (part: readonly MetricsLine[]): string =>
    show(mean(part.flatMap(line => (typeof line[measure] === 'number' ? [line[measure]] : []))))
  const seconds = lines.reduce((sum, line) => sum + line.seconds, 0)
  return [
    name,
    metrics[0]?.algorithm ?? '',
    String(metrics.length),
    measure,
    meanOf(metrics.slice(0, tenth)),
    meanOf(metrics.slice(-tenth)),
    `${Math.round(seconds)} s`,
  ]
}

async function stageSection(runFolder: string, { name, metrics, rollouts }: StageLog): Promise<string> {
  const html = (rollout: RolloutLine): Promise<string> => rolloutHtml(runFolder, rollout)
  const charts = await Promise.all(stageCharts(metrics).map(lineChartSvg))
  const lastStep = rollouts.at(-1)?.step
  const printed = rollouts.filter(({ step }) => step === lastStep).slice(0, printedRollouts)
  return [
    `<h2>Stage ${escapeHtml(name)}</h2>`,
    ...hazardSection(metrics),
    `<div class="charts">${charts.join('')}</div>`,
    ...(printed.length > 0 ? [`<h3>Answers of step ${lastStep}</h3>`, ...(await Promise.all(printed.map(html)))] : []),
  ].join('\n')
}

/** The hazards of a stage, each at its worst. */
function hazardSection(metrics: readonly MetricsLine[]): string[] {
  const seen = metrics.flatMap(line => stepHazards(line).map(hazard => ({ ...hazard, step: line.step })))
  const names = [...new Set(seen.map(({ metric }) => metric))]
  const rows = names.map(name => {
    const steps = seen.filter(({ metric }) => metric === name)
    const worst = steps.reduce((a, b) => (b.share > a.share ? b : a))
    return [String(steps.length), String(worst.step), worst.warning]
  })
  return rows.length > 0 ? ['<h3>Warnings</h3>', htmlTable(['steps', 'worst in step', 'what'], rows)] : []
}

async function rolloutHtml(
  runFolder: string,
  { id, answer, response, reward, parts, picture }: RolloutLine,
): Promise<string> {
  const scores = Object.entries(parts).map(([name, value]) => `${name} ${show(value)}`)
  const line = `${id}: truth ${answer.join(', ')}; reward ${show(reward)} (${scores.join(', ')})`
  return `<p>${escapeHtml(line)}</p>${await pictureHtml(runFolder, picture)}<pre>${escapeHtml(response)}</pre>`
}

/** The picture inside the page, which needs no other file; nothing where the run keeps none. */
async function pictureHtml(runFolder: string, picture: string | undefined): Promise<string> {
  if (picture === undefined || !/^pictures\/[0-9a-f]+\.png$/.test(picture)) return ''
  const png = await readFile(join(runFolder, picture)).catch(() => undefined)
  return png ? `<img alt="what was asked about" src="data:image/png;base64,${png.toString('base64')}">` : ''
}

/** Four significant digits would say more than a step's noise allows. */
function show(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : '–'
}
