/** How samples are shared among the domains of a clinic. */
export type ExperimentPreset = 'imbalanced' | 'balanced'

/** What an experiment is run with; the same settings give the same numbers. */
export interface ExperimentSettings {
  /** Seeds of initial weights, order and sampling; an arm is run once with each. */
  readonly seeds: number
  /** Samples of the clinic, of which 7 in 10 patients train and 2 in 10 judge. */
  readonly clinicSize: number
  /** Steps of the supervised warm start. */
  readonly warmSteps: number
  /** Steps of each algorithm. */
  readonly steps: number
  readonly questionsPerStep: number
  readonly groupSize: number
  readonly learningRate: number
  readonly maxNewTokens: number
}

/**
 * The default size: about an hour on two cores, one third of which was measured. Warm start, learning rate and group size were
 * chosen with GRPO alone (docs/experiments/drpo-vs-grpo.md).
 */
export const defaultExperiment: ExperimentSettings = {
  seeds: 3,
  clinicSize: 900,
  warmSteps: 320,
  steps: 30,
  questionsPerStep: 16,
  groupSize: 4,
  learningRate: 2e-4,
  maxNewTokens: 96,
}

/** Seed of the clinic: every arm and seed sees the same patients. */
const clinicSeed = 42

/**
 * The domains of the mini clinic that take part: a recording and three kinds of pictures, of which one is common and three are
 * rare. With all nine, a warm start that sees takes longer than the hour.
 */
export const experimentDomains = ['ecg', 'chest_xray', 'dermoscopy', 'mri'] as const

/** Options of the clinic that an experiment simulates. */
export function clinicOptions({ clinicSize }: ExperimentSettings, preset: ExperimentPreset, dir: string) {
  return { dir, seed: clinicSeed, size: clinicSize, preset, domains: experimentDomains, difficulty: 'easy' } as const
}

const sources = (clinic: string) =>
  experimentDomains.map(domain => ({ dataset: `mini_clinic_${domain}`, root: clinic }))

/** β of every arm that compares with the warm start. */
export const klCoefficient = 1e-3

/** Configuration of a warm start. */
export function warmStartConfig({ warmSteps }: ExperimentSettings, seed: number, clinic: string) {
  const schedule = { type: 'constant', warmupSteps: 10 }
  const stage = { name: 'warm-start', algorithm: 'sft', steps: warmSteps, batchSize: 16, learningRate: 2e-3, schedule }
  return {
    name: 'warm-start',
    seed,
    threads: 1,
    model: { preset: 'qoq-nano', vocabularySize: 1500 },
    data: { sources: sources(clinic) },
    stages: [{ ...stage, microbatchSize: 16, checkpointEvery: warmSteps }],
  }
}

/** Configuration of an arm that goes on from a warm start. */
export function armConfig(
  settings: ExperimentSettings,
  seed: number,
  { clinic, warmStart, stage }: { clinic: string; warmStart: string; stage: Readonly<Record<string, unknown>> },
) {
  const { steps, questionsPerStep, groupSize, learningRate, maxNewTokens } = settings
  return {
    name: 'arm',
    seed,
    threads: 1,
    model: { checkpoint: warmStart },
    data: { sources: sources(clinic) },
    rewards: 'paper',
    stages: [
      {
        name: 'rl',
        steps,
        questionsPerStep,
        groupSize,
        learningRate,
        schedule: { type: 'linear', warmupSteps: 3 },
        klCoefficient,
        rollout: { temperature: 1, topP: 0.99, maxNewTokens },
        checkpointEvery: 20,
        ...stage,
      },
    ],
  }
}
