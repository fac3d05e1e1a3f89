import path from 'node:path'
import { defineCommand, defineGroup } from '../command.ts'
import type { ExperimentDefinition } from '../experiment/experiment-definition.ts'
import { knownNames } from '../known-names.ts'
import { researchNotice } from '../research-notice.ts'

/** What each experiment compares. */
const experiments = {
  'drpo-vs-grpo':
    "The paper's table 2 in small: SFT, PPO, GRPO, RLOO, REINFORCE++, ReMax, DRPO, its ablations and readings, on simulated patients.",
  'drpo-vs-grpo-2':
    'DRPO as recommended against GRPO, decided in advance: nine domains, steps of 128 questions, five seeds, on simulated patients.',
} as const

const count = { type: 'number', value: 'N', integer: true, min: 1 } as const

/** The command of an experiment. */
function experimentCommand(name: keyof typeof experiments) {
  return defineCommand({
    meta: {
      name,
      description: experiments[name],
      examples: [
        `qoq experiment ${name}`,
        `qoq experiment ${name} --seeds 1 --steps 5 --warm-steps 20 --size 200 --judged-size 100 --out runs/try`,
      ],
    },
    args: {
      seeds: { ...count, description: 'runs of every arm, each with its own seed' },
      out: {
        type: 'string',
        value: 'DIR',
        default: `runs/${name}`,
        description: 'folder of everything; the same command again goes on where it was stopped',
      },
      clinic: {
        type: 'string',
        value: 'WHICH',
        choices: ['imbalanced', 'balanced', 'both'],
        default: 'both',
        description: "the paper's imbalance, balanced domains as in figure 5, or both",
      },
      arm: { type: 'strings', value: 'ID', description: 'run only this arm, beside the baseline; may be repeated' },
      size: { ...count, min: 100, description: 'samples of a clinic that trains' },
      judgedSize: { ...count, min: 40, description: 'samples of the clinic that judges' },
      warmSteps: { ...count, description: 'steps of the supervised warm start' },
      steps: { ...count, description: 'steps of every algorithm' },
      learningRate: { type: 'number', value: 'RATE', min: 0, description: 'of every algorithm' },
      jobs: { ...count, default: 2, description: 'trainings at a time, one core each' },
    },
    run: async ({ args, input, output, signal }) => {
      const [definition, { runExperiment }, { qoqProcesses }] = await Promise.all([
        loadDefinition(name),
        import('../experiment/run-experiment.ts'),
        import('../experiment/qoq-process.ts'),
      ])
      const settings = {
        ...definition.settings,
        ...(args.seeds !== undefined && { seeds: args.seeds }),
        ...(args.size !== undefined && { clinicSize: args.size }),
        ...(args.judgedSize !== undefined && { judgedSize: args.judgedSize }),
        ...(args.warmSteps !== undefined && { warmSteps: args.warmSteps }),
        ...(args.steps !== undefined && { steps: args.steps }),
        ...(args.learningRate !== undefined && { learningRate: args.learningRate }),
      }
      const began = performance.now()
      const { report, results, differences } = await runExperiment(
        { ...definition, settings, arms: chosenArms(definition, args.arm) },
        {
          out: path.resolve(input.resolve(args.out)),
          presets: args.clinic === 'both' ? ['imbalanced', 'balanced'] : [args.clinic],
          atOnce: args.jobs,
          runQoq: qoqProcesses(process.argv[1] ?? '', signal),
          onProgress: ({ done, total, running }) => {
            const minutes = ((performance.now() - began) / 60_000).toFixed(0)
            output.progress(`${done} of ${total} done after ${minutes} min; running ${running.join(', ')}`)
          },
        },
      )
      output.result({ report, results, differences }, () => `Report: ${report}\n${researchNotice}`)
    },
  })
}

async function loadDefinition(name: keyof typeof experiments): Promise<ExperimentDefinition> {
  return name === 'drpo-vs-grpo'
    ? (await import('../experiment/drpo-vs-grpo.ts')).drpoVsGrpo
    : (await import('../experiment/drpo-vs-grpo-2.ts')).drpoVsGrpo2
}

/** The baseline and the named arms; all where none is named. */
function chosenArms({ arms, baseline }: ExperimentDefinition, wanted: readonly string[]): ExperimentDefinition['arms'] {
  const chosen = knownNames(
    wanted,
    arms.map(({ id }) => id),
    '--arm',
  )
  return chosen.length === 0 ? arms : arms.filter(({ id }) => id === baseline || chosen.includes(id))
}

/** `qoq experiment`: comparisons that take many runs. */
export const experimentGroup = defineGroup({ name: 'experiment', description: 'Run a comparison of many trainings.' }, [
  experimentCommand('drpo-vs-grpo'),
  experimentCommand('drpo-vs-grpo-2'),
])
