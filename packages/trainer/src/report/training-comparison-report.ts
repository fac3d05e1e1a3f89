import { escapeHtml, htmlPage, htmlTable, lineChartSvg, type LineChart } from '@qoq-med/report'
import type { ComparedStage, TrainingComparison } from './compare-trainings.ts'
import { readMetrics, type MetricsLine } from './run-log.ts'
import { stageCharts } from './stage-charts.ts'

/** Charts of a run that say nothing beside another's: of the clock, and of how groups were scaled. */
const leftOut: ReadonlySet<string> = new Set(['Seconds of a step', 'Domain temperature T(g)'])

/**
 * Writes training runs beside one another as an HTML page that needs no other file: a table of each stage, and its curves
 * with a line for each run.
 *
 * @throws TRAINER_NO_RUN when a folder holds no run
 */
export async function renderTrainingComparison({ runs, stages }: TrainingComparison): Promise<string> {
  const logs = await Promise.all(runs.map(({ folder }) => readMetrics(folder)))
  const sections = await Promise.all(
    Object.entries(stages).map(async ([name, compared]) => {
      const lines = logs.map(log => log.filter(({ stage }) => stage === name))
      const charts = await Promise.all(
        comparedCharts(
          runs.map(run => run.name),
          lines,
        ).map(lineChartSvg),
      )
      return `<h2>Stage ${escapeHtml(name)}</h2>${stageTable(compared)}<div class="charts">${charts.join('')}</div>`
    }),
  )
  return htmlPage(`Training runs ${runs.map(({ name }) => name).join(', ')}`, [
    '<p>First and last tenth are means over the steps of a run; a difference of two runs says nothing of chance, which several seeds do, or evaluations of both (<code>qoq compare</code>).</p>',
    ...sections,
  ])
}

function stageTable(compared: readonly ComparedStage[]): string {
  const domains = [...new Set(compared.flatMap(({ rewardByDomain }) => Object.keys(rewardByDomain)))].toSorted()
  const heads = ['run', 'algorithm', 'steps', 'measure', 'first tenth', 'last tenth']
  return htmlTable(
    [...heads, ...domains.map(domain => `${domain}, last tenth`), 'accuracy', 'largest gap', 'time'],
    compared.map(stage => [
      stage.run,
      stage.algorithm,
      String(stage.steps),
      stage.measure,
      show(stage.firstTenth),
      show(stage.lastTenth),
      ...domains.map(domain => show(stage.rewardByDomain[domain])),
      show(stage.accuracy),
      show(stage.logprobGap),
      `${Math.round(stage.seconds)} s`,
    ]),
  )
}

/** The charts of a stage, one for each of their lines, in which every run has its own. */
function comparedCharts(names: readonly string[], logs: readonly (readonly MetricsLine[])[]): LineChart[] {
  const lines = logs.flatMap((log, i) =>
    stageCharts(log).flatMap(({ title, xTitle, series }) =>
      series.map(({ name, points }) => ({ title, xTitle, name, line: { name: names[i]!, points } })),
    ),
  )
  const charts = new Map<string, LineChart>()
  for (const { title, xTitle, name, line } of lines) {
    if (leftOut.has(title)) continue
    const isAlone = lines.every(other => other.title !== title || other.name === name)
    const own = isAlone ? title : `${title}: ${name}`
    charts.set(own, { title: own, xTitle, series: [...(charts.get(own)?.series ?? []), line] })
  }
  return [...charts.values()]
}

function show(value: number | undefined): string {
  return value !== undefined && Number.isFinite(value) ? String(Number(value.toPrecision(3))) : '–'
}
