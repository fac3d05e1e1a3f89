import { writeFile } from 'node:fs/promises'
import type { RelevanceSummary } from '@qoq-med/eval'
import { defineCommand } from '../command.ts'
import { cliErrors } from '../errors.ts'
import { share, textTable } from '../text-table.ts'

/** `qoq eval statements`: the reasoning of an evaluation, sentence by sentence, for people to grade. */
export const statementsCommand = defineCommand({
  meta: {
    name: 'statements',
    description:
      'Write the statements of the reasoning as JSON lines for people to grade: add "grade" (high, low, none) and "rater" to each.',
    examples: ['qoq eval statements runs/eval --out to-grade.jsonl'],
  },
  args: {
    run: { type: 'positional', required: true, description: 'folder of one `qoq eval`' },
    out: { type: 'string', value: 'FILE', required: true, description: 'file to write' },
  },
  run: async ({ args, input, output }) => {
    const { readRun, reasoningStatements } = await import('@qoq-med/eval')
    const { records } = await readRun(input.resolve(args.run))
    const statements = records.flatMap(reasoningStatements)
    await writeFile(input.resolve(args.out), statements.map(one => `${JSON.stringify(one)}\n`).join(''))
    output.result(
      { statements: statements.length, answers: records.length },
      () => `${statements.length} statements of ${records.length} answers are in ${args.out}.`,
    )
  },
})

/** `qoq eval grades`: what people and judges said of the relevance of reasoning. */
export const gradesCommand = defineCommand({
  meta: {
    name: 'grades',
    description: 'Summarise grades of relevance: their distribution, and how raters agree (Cohen’s kappa).',
    examples: ['qoq eval grades grades-anna.jsonl grades-ben.jsonl runs/eval/grades-relevance-Qwen3-32B.jsonl'],
  },
  args: { files: { type: 'positionals', description: 'JSON lines with sampleId, statement, grade and rater' } },
  run: async ({ args, input, output }) => {
    const { readGrades, summariseGrades } = await import('@qoq-med/eval')
    if (args.files.length === 0) throw cliErrors.ARGUMENT_MISSING({ name: 'FILES', command: 'qoq eval grades' })
    const grades = await Promise.all(args.files.map(file => readGrades(input.resolve(file))))
    const summary = summariseGrades(grades.flat())
    output.result(summary, () => gradesText(summary))
  },
})

/** Lays a summary of grades out for people. */
export function gradesText({ shares, statements, raters, agreement }: RelevanceSummary): string {
  const { high, low, none } = shares
  return [
    `${statements} statements by ${raters.join(', ')}: high ${share(high)}, low ${share(low)}, none ${share(none)}`,
    ...(agreement.length > 0
      ? [
          textTable([
            ['raters', 'statements', 'kappa'],
            ...agreement.map(one => [
              one.raters.join(', '),
              String(one.statements),
              Number.isNaN(one.kappa) ? 'undefined' : share(one.kappa),
            ]),
          ]),
        ]
      : []),
  ].join('\n')
}
