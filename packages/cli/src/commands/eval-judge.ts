import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { JudgedAnswers, RelevanceSummary } from '@qoq-med/eval'
import { defineCommand } from '../command.ts'
import { openEndpoint } from '../endpoint-policy.ts'
import { cliErrors } from '../errors.ts'
import { endpointArguments } from '../evaluation/eval-arguments.ts'
import { share } from '../text-table.ts'
import { gradesText } from './eval-grades.ts'

/** `qoq eval judge`: a model behind an endpoint judges the answers or the reasoning of an evaluation. */
export const judgeCommand = defineCommand({
  meta: {
    name: 'judge',
    description:
      'Let a model judge an evaluation: whether answers say what is true (two passes, the order exchanged), or how relevant each statement of their reasoning is. What it says is kept; a stopped judgement goes on.',
    examples: [
      'qoq eval judge runs/eval --task answers --endpoint http://localhost:8000/v1 --served-model Qwen3-32B',
      'qoq eval judge runs/eval --task relevance --endpoint http://localhost:8000/v1 --served-model Qwen3-32B',
    ],
  },
  args: {
    run: { type: 'positional', required: true, description: 'folder of one `qoq eval`' },
    task: {
      type: 'string',
      value: 'WHAT',
      choices: ['answers', 'relevance'],
      default: 'answers',
      description: 'what is judged',
    },
    ...endpointArguments,
  },
  run: async ({ args, input, output, signal }) => {
    const { run, task, endpoint, concurrency } = args
    if (endpoint === undefined) throw cliErrors.ARGUMENT_MISSING({ name: '--endpoint URL', command: 'qoq eval judge' })
    const { judgeAnswers, judgeRelevance, readRun, summariseGrades } = await import('@qoq-med/eval')
    const folder = input.resolve(run)
    const { records } = await readRun(folder)
    const judge = await openEndpoint(
      { ...args, endpoint, ecgAs: 'refuse', maxPixels: undefined },
      { input, output, command: 'qoq eval judge' },
    )
    // Another judge has files of its own, so that both can be compared.
    const named = `${task}-${judge.info.name.replace(/[^\w.-]+/g, '-')}`
    const file = path.join(folder, `judge-${named}.jsonl`)
    const onProgress = ({ done, total }: { done: number; total: number }): void =>
      output.progress(`Judged ${done} of ${total}`)
    const options = { judge, file, concurrency, signal, onProgress }
    if (task === 'answers') {
      const judged = await judgeAnswers(records, options)
      await writeFile(path.join(folder, `judge-${named}.json`), `${JSON.stringify(judged, null, 2)}\n`)
      output.result(judged, () => answersText(judged, file))
      return
    }
    const { grades, unreadable } = await judgeRelevance(records, options)
    if (grades.length === 0) throw cliErrors.JUDGE_SILENT({ judge: judge.info.name, answers: records.length })
    const gradeFile = path.join(folder, `grades-${named}.jsonl`)
    await writeFile(gradeFile, grades.map(grade => `${JSON.stringify(grade)}\n`).join(''))
    const summary: RelevanceSummary = summariseGrades(grades)
    output.result({ ...summary, unreadable }, () =>
      [gradesText(summary), `No grades could be read for ${unreadable.length} answers.`, `Grades: ${gradeFile}`].join(
        '\n',
      ),
    )
  },
})

function answersText({ score, judged, identical, unreadable, agreement, kappa }: JudgedAnswers, file: string): string {
  return [
    `Score ${share(score)} over ${judged + identical} answers (same 1, partly .5, different 0), ${identical} of them the true one word for word; no verdict for ${unreadable}.`,
    `Both passes agree on ${Number.isNaN(agreement) ? 'none' : share(agreement)} of those that were judged (kappa ${Number.isNaN(kappa) ? 'undefined' : share(kappa)}).`,
    `All that was asked and said: ${file}`,
  ].join('\n')
}
