import { defineCommand } from '../command.ts'
import { evalArguments } from '../evaluation/eval-arguments.ts'
import { runEvaluation } from '../evaluation/run-evaluation.ts'
import { researchNotice } from '../research-notice.ts'
import { gradesCommand, statementsCommand } from './eval-grades.ts'
import { judgeCommand } from './eval-judge.ts'
import { paperTablesCommand } from './eval-paper-tables.ts'
import { metricsTable } from './metrics.ts'

/** `qoq eval`: a model, an endpoint or predictions against the samples of datasets. */
export const evalCommand = defineCommand({
  meta: {
    name: 'eval',
    description:
      "Evaluate a model, an endpoint or predictions on datasets: the paper's accuracy and macro-F1, box IoU, intervals, reports.",
    examples: [
      'qoq eval --model runs/demo/run/model --data mini_clinic_mri=data/clinic --data mini_clinic_ecg=data/clinic --out runs/eval',
      'qoq eval --endpoint http://localhost:8000/v1 --served-model QoQ-Med-VL-7B --data mini_clinic_mri=data/clinic --on-error skip',
      'qoq eval --predictions other.jsonl --data mini_clinic_mri=data/clinic --out runs/other',
    ],
  },
  args: evalArguments,
  commands: [judgeCommand, statementsCommand, gradesCommand, paperTablesCommand],
  run: async context => {
    const { args, input, output } = context
    const results = await runEvaluation(context)
    if (results.failures.length > 0)
      output.note(
        `${results.failures.length} samples could not be used and ${args.onFailure === 'wrong' || args.missing === 'wrong' ? 'count as wrong' : 'are left out'}; the report names them`,
      )
    const outDir = input.resolve(args.out)
    output.result(
      results,
      () =>
        `${metricsTable(results.metrics)}\n\nReports: ${outDir}/report.html, ${outDir}/report.md\n${researchNotice}`,
    )
  },
})
