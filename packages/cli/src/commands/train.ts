import path from 'node:path'
import { defineCommand } from '../command.ts'
import { mlflowOf } from '../mlflow-environment.ts'
import { planText } from '../plan-text.ts'
import { progressReporter, startText, summaryText } from '../training-progress.ts'

/** `qoq train`: one run from one configuration file. */
export const trainCommand = defineCommand({
  meta: {
    name: 'train',
    description: 'Train a policy: an SFT warm start, then DRPO, as a configuration file says.',
    examples: [
      'qoq train examples/spine.yaml --set stages.1.steps=10 --out runs/spine',
      'qoq train examples/spine.yaml --dry-run',
    ],
  },
  args: {
    config: { type: 'positional', required: true, description: 'YAML configuration of the run' },
    set: { type: 'strings', value: 'PATH=VALUE', description: 'overrides one field; may be repeated' },
    dryRun: { type: 'flag', description: 'print the whole configuration, sizes and estimates; train nothing' },
    debug: { type: 'flag', description: 'name the operation that makes a NaN; more than twice as slow' },
    resume: { type: 'flag', description: 'go on from the last checkpoint in the run folder' },
    out: { type: 'string', value: 'DIR', description: 'run folder; overrides that of the configuration' },
  },
  run: async ({ args, input, output, signal }) => {
    const file = input.resolve(args.config)
    const { configText, loadConfig, planRun, train } = await import('@qoq-med/trainer')
    const config = await loadConfig(file, args.set)
    if (args.dryRun) {
      const plan = await planRun(config, { baseFolder: path.dirname(file) })
      output.result(plan, () => `${configText(plan.config)}\n${planText(plan)}`)
      return
    }
    const result = await train(config, {
      baseFolder: path.dirname(file),
      out: input.resolve(args.out ?? config.out ?? path.join('runs', config.name)),
      resume: args.resume,
      debug: args.debug,
      signal,
      tracking: { mlflow: mlflowOf(input.env), onWarning: text => output.note(text) },
      onStart: facts => output.note(startText(facts, config)),
      onStep: progressReporter(output),
    })
    output.result(
      result,
      () =>
        `${summaryText(result.stages)}\nTrained. Model: ${result.model}\nReport: ${result.report}\nNext: qoq ask --model ${result.model} "…"`,
    )
  },
})
