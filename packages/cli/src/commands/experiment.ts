import path from 'node:path'
import { defineCommand, defineGroup } from '../command.ts'
import { researchNotice } from '../research-notice.ts'

const count = { type: 'number', value: 'N', integer: true, min: 1 } as const

const drpoVsGrpo = defineCommand({
  meta: {
    name: 'drpo-vs-grpo',
    description:
      "The paper's table 2 in small: SFT, PPO, GRPO, RLOO, REINFORCE++, ReMax, DRPO, its ablations and readings, on simulated patients.",
    examples: [
      'qoq experiment drpo-vs-grpo --seeds 3',
      'qoq experiment drpo-vs-grpo --seeds 1 --steps 5 --warm-steps 20 --size 200 --judged-size 100 --out runs/try',
    ],
  },
  args: {
    seeds: { ...count, description: 'runs of every arm, each with its own seed; default 3' },
    out: {
      type: 'string',
      value: 'DIR',
      default: 'runs/drpo-vs-grpo',
      description: 'folder of everything; the same command again goes on where it was stopped',
    },
    clinic: {
      type: 'string',
      value: 'WHICH',
      choices: ['imbalanced', 'balanced', 'both'],
      default: 'both',
      description: "the paper's imbalance, balanced domains as in figure 5, or both",
    },
    size: { ...count, min: 100, description: 'samples of a clinic that trains' },
    judgedSize: { ...count, min: 40, description: 'samples of the clinic that judges' },
    warmSteps: { ...count, description: 'steps of the supervised warm start' },
    steps: { ...count, description: 'steps of every algorithm' },
    learningRate: { type: 'number', value: 'RATE', min: 0, description: 'of every algorithm' },
    jobs: { ...count, default: 2, description: 'trainings at a time, one core each' },
  },
  run: async ({ args, input, output, signal }) => {
    const [{ defaultExperiment }, { runExperiment }, { qoqProcesses }] = await Promise.all([
      import('../experiment/experiment-settings.ts'),
      import('../experiment/run-experiment.ts'),
      import('../experiment/qoq-process.ts'),
    ])
    const settings = {
      ...defaultExperiment,
      ...(args.seeds !== undefined && { seeds: args.seeds }),
      ...(args.size !== undefined && { clinicSize: args.size }),
      ...(args.judgedSize !== undefined && { judgedSize: args.judgedSize }),
      ...(args.warmSteps !== undefined && { warmSteps: args.warmSteps }),
      ...(args.steps !== undefined && { steps: args.steps }),
      ...(args.learningRate !== undefined && { learningRate: args.learningRate }),
    }
    const began = performance.now()
    const { report, results, differences } = await runExperiment(settings, {
      out: path.resolve(input.resolve(args.out)),
      presets: args.clinic === 'both' ? ['imbalanced', 'balanced'] : [args.clinic],
      atOnce: args.jobs,
      runQoq: qoqProcesses(process.argv[1] ?? '', signal),
      onProgress: ({ done, total, running }) => {
        const minutes = ((performance.now() - began) / 60_000).toFixed(0)
        output.progress(`${done} of ${total} done after ${minutes} min; running ${running.join(', ')}`)
      },
    })
    output.result({ report, results, differences }, () => `Report: ${report}\n${researchNotice}`)
  },
})

/** `qoq experiment`: comparisons that take many runs. */
export const experimentGroup = defineGroup({ name: 'experiment', description: 'Run a comparison of many trainings.' }, [
  drpoVsGrpo,
])
