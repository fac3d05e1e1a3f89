import type { EvaluationResults, PairedDifference, RunComparison } from '@qoq-med/eval'
import { mean } from '../mean.ts'
import { pValueText } from '../p-value-text.ts'
import { signedNumber } from '../signed-number.ts'
import { textTable } from '../text-table.ts'
import type { DemoPlan } from './demo-plan.ts'

/** What is known of DRPO beyond one run: the same as README.md and docs/experiments/drpo-vs-grpo-2.md say. */
export const knownOfDrpo =
  'One run shows that DRPO learns, or not: of three (seeds 1, 42 and 7; 29 to 36 steps) two had an interval above zero (+.050, .021 to .081; +.035, .009 to .060), one just not (+.029, −.000 to .058). ' +
  'Whether it beats GRPO is another question: in an experiment decided in advance, on simulated patients, it was worse by .023 macro-F1 (.006 to .039), with domains balanced by .022 (.006 to .038).'

/** What a demo has found: both evaluations, and how they differ. */
export interface DemoOutcome {
  readonly warm: EvaluationResults
  readonly drpo: EvaluationResults
  /** DRPO minus warm start, over the same samples. */
  readonly comparison: RunComparison
}

/** The two policies side by side: heads and rows. */
export function policyTable({ warm, drpo }: DemoOutcome): string[][] {
  const domains = Object.keys(warm.metrics.domains)
  return [
    ['policy', 'accuracy', 'macro-F1', 'box IoU', ...domains.map(domain => `F1 ${domain}`)],
    policyRow('warm start', warm),
    policyRow('DRPO', drpo),
  ]
}

function policyRow(name: string, { metrics, iou }: EvaluationResults): string[] {
  const ious = Object.values(iou).map(dataset => dataset.mean)
  return [
    name,
    metrics.overall.accuracy.toFixed(3),
    metrics.overall.f1.toFixed(3),
    ious.length === 0 ? '' : mean(ious).toFixed(3),
    ...Object.values(metrics.domains).map(({ f1 }) => f1.toFixed(3)),
  ]
}

/** What the paired tests say, in sentences. */
export function comparisonWords({ comparison }: DemoOutcome): string[] {
  const { samples, differences, exactMatch } = comparison
  const wins = Object.values(exactMatch).reduce((sum, { onlySecond }) => sum + onlySecond, 0)
  const losses = Object.values(exactMatch).reduce((sum, { onlyFirst }) => sum + onlyFirst, 0)
  return [
    `DRPO (recommended) minus warm start, paired over ${samples} samples, patients redrawn together: ${differenceText('macro-F1', differences.overall.f1)}; ${differenceText('accuracy', differences.overall.accuracy)}.`,
    `Exactly right answers: ${wins} only after DRPO, ${losses} only before.`,
  ]
}

function differenceText(name: string, difference: PairedDifference): string {
  const { mean: by, lower, upper } = difference
  const interval = Number.isFinite(lower)
    ? `95 % interval ${signedNumber(lower)} to ${signedNumber(upper)}`
    : 'no interval can be drawn'
  return `${name} ${signedNumber(by)} (${interval}, ${pValueText(difference)})`
}

/** The demo's end for a terminal. */
export function demoText(
  { about }: DemoPlan,
  outcome: DemoOutcome,
  { report, seconds, next }: { readonly report: string; readonly seconds: number; readonly next: string },
): string {
  return [
    textTable(policyTable(outcome)),
    '',
    ...comparisonWords(outcome),
    knownOfDrpo,
    '',
    `Data: ${about}.`,
    `It took ${Math.round(seconds)} s. Report: ${report}`,
    `Next: ${next}`,
  ].join('\n')
}
