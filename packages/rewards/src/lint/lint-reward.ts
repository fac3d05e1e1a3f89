import type { Breakdown } from '../breakdown.ts'
import { combine, type CompositeReward } from '../combine.ts'
import { honest, lintProbes, type LintBaseline, type LintProbe, type LintQuestion } from './lint-probe.ts'
import { defaultQuestions, lintQuestion } from './lint-question.ts'
import type { AsyncReward } from '../reward.ts'
import { scoreBatch } from '../score-batch.ts'
import type { Truth } from '../truth.ts'

/** What the linter found a probe to be worth. */
export type LintVerdict =
  /** No more than the honest baseline. */
  | 'ok'
  /** More than the baseline: a policy can learn it instead of answering. */
  | 'pays'
  /** The reward threw, timed out or answered no score in [0, 1]. */
  | 'fails'

/** What a reward pays for one probe on one question. */
export interface LintCase {
  readonly probe: string
  readonly question: string
  readonly score: number
  /** Score of the honest answer it is compared with. */
  readonly baselineScore: number
  /** Unweighted parts, for a combination. */
  readonly parts: Readonly<Record<string, number>>
  /** Code of the first failure, where the reward failed. */
  readonly failure?: string
}

/** A probe over all questions; `worst` is the case that pays most above its baseline, undefined
 * where no question fits the probe. */
export interface LintRow {
  readonly probe: string
  readonly about: string
  readonly baseline: LintBaseline
  readonly verdict: LintVerdict
  /** Score minus baseline of the worst case. */
  readonly gain: number
  readonly worst: LintCase | undefined
}

/** What `lintReward` answers; plain data. */
export interface LintReport {
  /** Mean score of the honest answers over the questions. */
  readonly honest: Readonly<Record<'right' | LintBaseline, number>>
  /** One row per probe. */
  readonly rows: readonly LintRow[]
  /** Every probe on every question. */
  readonly cases: readonly LintCase[]
  /** Whether right answers are worth more than wrong ones on every question; without this nothing is learnt. */
  readonly ordersHonestAnswers: boolean
}

/** What is linted against what. */
export interface LintOptions {
  /** Truths to ask about, instead of four invented ones: samples of one's own data. */
  readonly truths?: readonly Truth[] | undefined
  /** How much more than the baseline a probe may be paid; 0.01 by default. */
  readonly tolerance?: number | undefined
  /** Time limit for one asynchronous answer in milliseconds; 30,000 by default. */
  readonly timeoutMs?: number | undefined
}

/**
 * Probes a reward for gaming: answers each question with responses that a policy might learn instead of answering
 * (nothing, every label at once, the same box everywhere, very long text, several boxed answers, NaN, …) and reports
 * what the reward pays for each, next to what it pays for an honest wrong answer.
 *
 * @example renderLint(await lintReward(combine(presets.paper)))
 */
export async function lintReward(
  reward: AsyncReward | CompositeReward<AsyncReward>,
  { truths, tolerance = 0.01, timeoutMs }: LintOptions = {},
): Promise<LintReport> {
  const questions = truths?.map((truth, i) => lintQuestion(`truth ${i}`, truth)) ?? defaultQuestions
  const composite = asComposite(reward)
  const pay = async (respond: (question: LintQuestion) => string): Promise<readonly Breakdown[]> => {
    const batch = questions.map(question => ({ response: respond(question), truth: question.truth }))
    return scoreBatch(composite, batch, { timeoutMs })
  }
  const [right, wrong, unsupported] = [await pay(honest.right), await pay(honest.wrong), await pay(honest.unsupported)]
  const baselines = { wrong, unsupported }
  const rows: LintRow[] = []
  const cases: LintCase[] = []
  for (const probe of lintProbes) {
    const paid = casesOf(probe, questions, await pay(probe.respond), baselines[probe.baseline])
    cases.push(...paid)
    rows.push({ probe: probe.name, about: probe.about, baseline: probe.baseline, ...judge(paid, tolerance) })
  }
  return {
    honest: { right: mean(right), wrong: mean(wrong), unsupported: mean(unsupported) },
    rows,
    cases,
    ordersHonestAnswers: right.every(({ score }, i) => score > (wrong[i]?.score ?? 1)),
  }
}

function casesOf(
  { name: probe, skips }: LintProbe,
  questions: readonly LintQuestion[],
  paid: readonly Breakdown[],
  baseline: readonly Breakdown[],
): readonly LintCase[] {
  return questions.flatMap((question, i) => {
    if (skips?.(question) === true) return []
    const { score = 0, parts = {}, failures = [] } = paid[i] ?? {}
    const failure = failures[0]?.error.code
    const baselineScore = baseline[i]?.score ?? 0
    return [
      { probe, question: question.name, score, baselineScore, parts, ...(failure === undefined ? {} : { failure }) },
    ]
  })
}

function judge(cases: readonly LintCase[], tolerance: number): Pick<LintRow, 'verdict' | 'gain' | 'worst'> {
  const [worst] = cases.toSorted((a, b) => gainOf(b) - gainOf(a))
  const failing = cases.find(({ failure }) => failure !== undefined)
  if (worst === undefined) return { verdict: 'ok', gain: 0, worst: undefined }
  if (failing !== undefined) return { verdict: 'fails', gain: gainOf(failing), worst: failing }
  return { verdict: gainOf(worst) > tolerance ? 'pays' : 'ok', gain: gainOf(worst), worst }
}

function gainOf({ score, baselineScore }: LintCase): number {
  return score - baselineScore
}

function asComposite(reward: AsyncReward | CompositeReward<AsyncReward>): CompositeReward<AsyncReward> {
  return 'terms' in reward ? reward : combine<AsyncReward>({ reward: { weight: 1, reward } })
}

function mean(breakdowns: readonly Breakdown[]): number {
  return breakdowns.reduce((sum, { score }) => sum + score, 0) / Math.max(1, breakdowns.length)
}
