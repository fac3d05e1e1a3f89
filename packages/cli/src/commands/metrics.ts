import type { AveragedMetrics, Metrics } from '@qoq-med/eval'
import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { share, textTable } from '../text-table.ts'

const Row = z.object({
  dataset: z.string().min(1),
  domain: z.string().min(1),
  truth: z.array(z.string()),
  predicted: z.array(z.string()),
})

const LabelLists = z.record(z.string(), z.array(z.string()))

/** `qoq metrics`: evaluated rows on stdin, the paper's metrics on stdout. */
export const metricsCommand = defineCommand({
  meta: {
    name: 'metrics',
    description: "Compute the paper's accuracy, macro-F1 and their kin per dataset, domain and overall.",
    examples: [
      `echo '{"dataset":"busi","domain":"ultrasound","truth":["benign"],"predicted":["benign"]}' | qoq metrics --labels labels.json --json`,
    ],
  },
  args: {
    labels: { type: 'string', value: 'FILE', required: true, description: 'JSON file: dataset -> its list of labels' },
    balancedAccuracy: {
      type: 'string',
      value: 'READING',
      choices: ['paper', 'recall'],
      default: 'paper',
      description: 'paper: mean label accuracy (eq. 12); recall: mean recall of the labels in the truth',
    },
  },
  run: async ({ args, input, output }) => {
    const labels = await input.readJsonFile(args.labels, LabelLists, 'label list')
    const rows = await input.readJsonLines(Row, 'lines of truth and prediction')
    const { computeMetrics } = await import('@qoq-med/eval')
    const metrics = computeMetrics(rows, labels, { balancedAccuracy: args.balancedAccuracy })
    output.result(metrics, () => metricsTable(metrics))
  },
})

/** Lays metrics out as tables 6-12 do: datasets, then domains, then overall. */
export function metricsTable({ datasets, domains, overall }: Metrics): string {
  return textTable([
    ['', 'accuracy', 'sensitivity', 'specificity', 'F1', 'precision', 'recall', 'rows'],
    ...Object.entries(datasets).map(([name, one]) => tableRow(`${one.domain}/${name}`, one)),
    ...Object.entries(domains).map(([name, one]) => tableRow(name, one)),
    tableRow('overall', overall),
  ])
}

function tableRow(name: string, metrics: AveragedMetrics & { readonly support: number }): string[] {
  const { accuracy, sensitivity, specificity, f1, precision, recall, support } = metrics
  return [name, ...[accuracy, sensitivity, specificity, f1, precision, recall].map(share), String(support)]
}
