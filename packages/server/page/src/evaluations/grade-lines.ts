import type { EvaluatedAnswer } from './evaluations-tab.tsx'

/** How a statement bears on the diagnosis. */
export const grades = ['high', 'low', 'none'] as const
/** Whether a box lies on what it names. */
export const boxGrades = ['right', 'partly', 'wrong'] as const

/** Grades by `SAMPLE#STATEMENT` or `SAMPLE#box-BOX`. */
export type GivenGrades = Readonly<Record<string, string>>

/** Grades of one rater as the lines of two files: those of statements, which `qoq eval grades` reads, and those of boxes. */
export function gradeLines(
  answers: readonly EvaluatedAnswer[],
  { rater, given }: { readonly rater: string; readonly given: GivenGrades },
): { readonly statements: readonly object[]; readonly boxes: readonly object[] } {
  const graded = (key: string, line: object): object[] => {
    const grade = given[key]
    return grade === undefined ? [] : [{ ...line, grade, rater: rater.trim() }]
  }
  return {
    statements: answers.flatMap(({ sampleId, statements }) =>
      statements.flatMap((text, statement) => graded(`${sampleId}#${statement}`, { sampleId, statement, text })),
    ),
    boxes: answers.flatMap(({ sampleId, boxes = [] }) =>
      boxes.flatMap((_, box) => graded(`${sampleId}#box-${box}`, { sampleId, box })),
    ),
  }
}
