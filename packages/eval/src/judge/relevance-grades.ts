import { z } from 'zod'
import { evalErrors } from '../errors.ts'
import { cohenKappa } from '../metrics/confusion-matrix.ts'
import { readJsonLines, type SampleRecord } from '../run/sample-log.ts'
import { askJudge, type JudgeOptions } from './ask-judge.ts'
import { type ReasoningStatement, reasoningStatements } from './reasoning-statements.ts'

/** How relevant a statement is to the final diagnosis (D.4.2). */
export const relevanceGrades = ['high', 'low', 'none'] as const

/** One of the grades. */
export type RelevanceGrade = (typeof relevanceGrades)[number]

const Graded = z.object({
  sampleId: z.string(),
  statement: z.int().min(0),
  grade: z.enum(relevanceGrades),
  /** Who graded it: a name that is no secret, or a judge. */
  rater: z.string().min(1),
})

/** A statement that was graded by a person or a judge. */
export type GradedStatement = z.output<typeof Graded>

/** How grades are distributed, and how raters agree. */
export interface RelevanceSummary {
  /** Share of each grade, over all raters. */
  readonly shares: Readonly<Record<RelevanceGrade, number>>
  readonly statements: number
  readonly raters: readonly string[]
  /** Cohen's kappa of every two raters over the statements that both graded. */
  readonly agreement: readonly {
    readonly raters: readonly [string, string]
    readonly statements: number
    readonly kappa: number
  }[]
}

/** Reads grades from JSON lines: {"sampleId", "statement", "grade", "rater"}. @throws EVAL_LOG_UNREADABLE */
export async function readGrades(file: string): Promise<GradedStatement[]> {
  return readJsonLines(file, Graded)
}

/**
 * Summarises grades: their distribution, and the agreement of every two raters beyond chance.
 *
 * @throws EVAL_NO_ROWS without grades, EVAL_GRADE_TWICE where a rater graded one statement twice
 */
export function summariseGrades(grades: readonly GradedStatement[]): RelevanceSummary {
  if (grades.length === 0) throw evalErrors.NO_ROWS({ what: 'relevance' })
  const raters = [...new Set(grades.map(({ rater }) => rater))].toSorted()
  const byRater = new Map(raters.map(rater => [rater, gradesOf(grades, rater)]))
  const share = (grade: RelevanceGrade): number => grades.filter(one => one.grade === grade).length / grades.length
  const pairs = raters.flatMap((first, index) => raters.slice(index + 1).map(second => [first, second] as const))
  return {
    shares: { high: share('high'), low: share('low'), none: share('none') },
    statements: new Set(grades.map(nameOf)).size,
    raters,
    agreement: pairs.flatMap(pair => {
      const [first, second] = [byRater.get(pair[0])!, byRater.get(pair[1])!] // both are raters
      const both = [...first.keys()].filter(name => second.has(name))
      if (both.length === 0) return []
      const kappa = cohenKappa(
        both.map(name => first.get(name)!),
        both.map(name => second.get(name)!),
      ) // graded by both
      return [{ raters: pair, statements: both.length, kappa }]
    }),
  }
}

function gradesOf(grades: readonly GradedStatement[], rater: string): Map<string, RelevanceGrade> {
  const own = new Map<string, RelevanceGrade>()
  for (const one of grades) {
    if (one.rater !== rater) continue
    if (own.has(nameOf(one))) throw evalErrors.GRADE_TWICE({ rater, sampleId: one.sampleId, statement: one.statement })
    own.set(nameOf(one), one.grade)
  }
  return own
}

function nameOf({ sampleId, statement }: GradedStatement): string {
  return `${statement} of ${sampleId}`
}

const Verdict = z.object({ grades: z.array(z.enum(relevanceGrades)) })

/**
 * Lets a judge grade every statement of the answers' reasoning, a whole trace at a time.
 *
 * @returns the grades, and the samples of which no verdict could be read, or one of another length
 * @throws as `askJudge`
 */
export async function judgeRelevance(
  records: readonly SampleRecord[],
  options: JudgeOptions,
): Promise<{ readonly grades: readonly GradedStatement[]; readonly unreadable: readonly string[] }> {
  const traces = records
    .map(record => ({ record, statements: reasoningStatements(record) }))
    .filter(({ statements }) => statements.length > 0)
  const questions = traces.map(({ record, statements }) => ({
    id: record.sampleId,
    prompt: promptOf(record, statements),
  }))
  const found = await askJudge(questions, Verdict, options)
  const rater = options.judge.info.name
  const graded = traces.map(({ record, statements }, index) => {
    const grades = found[index]?.grades
    return { sampleId: record.sampleId, grades: grades?.length === statements.length ? grades : undefined }
  })
  return {
    grades: graded.flatMap(({ sampleId, grades = [] }) =>
      grades.map((grade, statement) => ({ sampleId, statement, grade, rater })),
    ),
    unreadable: graded.filter(({ grades }) => grades === undefined).map(({ sampleId }) => sampleId),
  }
}

function promptOf({ question, truth, predicted }: SampleRecord, statements: readonly ReasoningStatement[]): string {
  return [
    'Grade every statement of a clinical reasoning by its relevance to the final diagnosis.',
    '"high": it bears on the diagnosis (a finding, a sign, knowledge that decides). "low": it is sound but general. "none": it is irrelevant, wrong or empty.',
    '',
    `Question: ${question}`,
    `True answer: ${truth.join(', ')}`,
    `Answer given: ${predicted.join(', ')}`,
    'Statements:',
    ...statements.map(({ statement, text }) => `${statement + 1}. ${text}`),
    '',
    `Reply with one JSON object and nothing else, a grade for each of the ${statements.length} statements in order: {"grades": ["high" | "low" | "none", …]}`,
  ].join('\n')
}
