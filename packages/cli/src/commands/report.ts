import { defineCommand } from '../command.ts'

/** `qoq report`: the page of a run, also while it goes or after it was stopped. */
export const reportCommand = defineCommand({
  meta: {
    name: 'report',
    description: "Write a training run's report.html: curves by stage and domain, and its last answers.",
    examples: ['qoq report runs/spine'],
  },
  args: { run: { type: 'positional', required: true, description: 'run folder of qoq train' } },
  run: async ({ args, input, output }) => {
    const { writeRunReport } = await import('@qoq-med/trainer')
    const report = await writeRunReport(input.resolve(args.run))
    output.result({ report }, () => report)
  },
})
