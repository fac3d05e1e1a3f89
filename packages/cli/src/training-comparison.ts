import type { ComparedStage, TrainingComparison } from '@qoq-med/trainer'
import type { CommandOutput } from './command-output.ts'
import { writePage } from './output-file.ts'
import { textTable } from './text-table.ts'

/** Puts training runs beside one another. @param html where a page of their curves goes, too */
export async function compareTrainingRuns(
  folders: readonly string[],
  html: string | undefined,
  output: CommandOutput,
): Promise<void> {
  const { compareTrainings, renderTrainingComparison } = await import('@qoq-med/trainer')
  const comparison = await compareTrainings(folders)
  if (html !== undefined) await writePage(html, await renderTrainingComparison(comparison))
  output.result(comparison, () => comparisonText(comparison))
}

function comparisonText({ stages }: TrainingComparison): string {
  const tables = Object.entries(stages).map(([name, compared]) => `Stage ${name}\n${stageTable(compared)}`)
  return `${tables.join('\n\n')}\n\nMeans over the first and the last tenth of the steps; they say nothing of chance.`
}

function stageTable(compared: readonly ComparedStage[]): string {
  const domains = [...new Set(compared.flatMap(({ rewardByDomain }) => Object.keys(rewardByDomain)))].toSorted()
  return textTable([
    ['run', 'steps', 'measure', 'first tenth', 'last tenth', ...domains, 'accuracy', 'largest gap', 'time'],
    ...compared.map(stage => [
      stage.run,
      String(stage.steps),
      stage.measure,
      figure(stage.firstTenth),
      figure(stage.lastTenth),
      ...domains.map(domain => figure(stage.rewardByDomain[domain])),
      figure(stage.accuracy),
      figure(stage.logprobGap),
      `${Math.round(stage.seconds)} s`,
    ]),
  ])
}

function figure(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? '–' : String(Number(value.toPrecision(3)))
}
