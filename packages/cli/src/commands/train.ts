import path from 'node:path'
import { defineCommand } from '../command.ts'
import { mlflowOf } from '../mlflow-environment.ts'
import { planText } from '../plan-text.ts'
import { engineSettings } from '../training/engine-settings.ts'
import { jobQuestion } from '../training/job-question.ts'
import { serveRewards } from '../training/serve-rewards.ts'
import { progressReporter, startText, summaryText } from '../training-progress.ts'

/** `qoq train`: one run from one configuration file. */
export const trainCommand = defineCommand({
  meta: {
    name: 'train',
    description: 'Train a policy: an SFT warm start, then DRPO, as a configuration file says.',
    examples: [
      'qoq train examples/spine.yaml --set stages.1.steps=10 --out runs/spine',
      'qoq train examples/spine.yaml --dry-run',
      'qoq train examples/spine.yaml --engine trl --set cluster.processes=2',
    ],
  },
  args: {
    config: { type: 'positional', required: true, description: 'YAML configuration of the run' },
    set: { type: 'strings', value: 'PATH=VALUE', description: 'overrides one field; may be repeated' },
    dryRun: { type: 'flag', description: 'print the whole configuration, sizes and estimates; train nothing' },
    debug: { type: 'flag', description: 'name the operation that makes a NaN; more than twice as slow' },
    engine: {
      type: 'string',
      value: 'NAME',
      choices: ['local', 'trl', 'verl'],
      description:
        'what trains: this process, TRL on this machine, or verl on a Ray cluster; overrides the configuration',
    },
    ray: { type: 'string', value: 'URL', description: "with verl: Ray's dashboard, such as http://head:8265" },
    attach: { type: 'flag', description: 'follow the job of the run folder again, after its process died or left it' },
    resume: { type: 'flag', description: 'go on from the last checkpoint in the run folder' },
    out: { type: 'string', value: 'DIR', description: 'run folder; overrides that of the configuration' },
  },
  run: async ({ args, input, output, signal }) => {
    const file = input.resolve(args.config)
    const { configText, loadConfig, planRun, train } = await import('@qoq-med/trainer')
    const config = await loadConfig(file, [...args.set, ...engineSettings(args)])
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
      attach: args.attach,
      serveRewards,
      onInterrupt: jobQuestion(output),
      onNote: text => output.note(text),
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
