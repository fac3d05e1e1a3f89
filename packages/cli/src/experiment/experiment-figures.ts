import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { armResults } from './experiment-report.ts'
import { mean } from '../mean.ts'
import type { JobResult } from './experiment-results.ts'
import type { ExperimentDefinition, ExperimentPreset } from './experiment-definition.ts'

/** Steps whose mean is one point of a curve: single steps are noise. */
const smoothedSteps = 5

/**
 * Draws the mean reward of every arm over its steps, one picture per clinic, as SVG.
 *
 * @returns paths relative to `out`, by clinic
 */
export async function drawFigures(
  definition: ExperimentDefinition,
  out: string,
  results: readonly JobResult[],
): Promise<Partial<Record<ExperimentPreset, string[]>>> {
  const { lineChartSvg } = await import('@qoq-med/report')
  await mkdir(path.join(out, 'figures'), { recursive: true })
  const figures: Partial<Record<ExperimentPreset, string[]>> = {}
  for (const preset of new Set(results.map(({ job }) => job.preset))) {
    const series = armResults(definition, results, preset).flatMap(({ arm, results: own }) =>
      arm.stage === undefined ? [] : [{ name: arm.name, points: rewardCurve(own) }],
    )
    const file = path.posix.join('figures', `reward-${preset}.svg`)
    const title = `Mean reward of training, ${preset} clinic`
    await writeFile(path.join(out, file), await lineChartSvg({ title, xTitle: 'step', series }))
    figures[preset] = [file]
  }
  return figures
}

/** Means over seeds and over stretches of steps. */
function rewardCurve(results: readonly JobResult[]): { x: number; y: number }[] {
  const steps = Math.min(...results.map(({ rewards }) => rewards.length))
  return Array.from({ length: Math.floor(steps / smoothedSteps) }, (_, i) => {
    const end = (i + 1) * smoothedSteps
    return { x: end, y: mean(results.map(({ rewards }) => mean(rewards.slice(end - smoothedSteps, end)))) }
  })
}
