import path from 'node:path'
import { defineCommand, type CommandGroup } from '../command.ts'

/** `qoq export traces`: what a run's policy reasoned, as a table. */
const exportTracesCommand = defineCommand({
  meta: {
    name: 'traces',
    description: 'Write the reasoning traces that a training run has kept as a Parquet table, one row an answer.',
    examples: ['qoq export traces runs/spine', 'qoq export traces runs/spine --out traces.parquet'],
  },
  args: {
    run: { type: 'positional', required: true, description: 'run folder of qoq train' },
    out: { type: 'string', value: 'FILE', description: 'Parquet file; default: traces.parquet in the run folder' },
  },
  run: async ({ args, input, output }) => {
    const { exportTraces } = await import('@qoq-med/trainer')
    const folder = input.resolve(args.run)
    const file = args.out === undefined ? path.join(folder, 'traces.parquet') : input.resolve(args.out)
    const rows = await exportTraces(folder, file)
    output.result({ file, rows }, () => `${file}: ${rows} answers`)
  },
})

/** `qoq export`. */
export const exportGroup: CommandGroup = {
  kind: 'group',
  meta: { name: 'export', description: 'Write what a run has kept in the formats of other tools.' },
  commands: [exportTracesCommand],
}
