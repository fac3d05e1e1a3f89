/** How samples are shared among the domains of a clinic. */
export type ExperimentPreset = 'imbalanced' | 'balanced'

/** What an experiment is run with; the same settings give the same numbers. */
export interface ExperimentSettings {
  /** Seeds of order and sampling; an arm is run once with each, always from the same warm start. */
  readonly seeds: number
  /** Samples of the clinic that trains. */
  readonly clinicSize: number
  /** Samples of the clinic that judges: other patients, evenly shared among the domains. */
  readonly judgedSize: number
  /** Steps of the supervised warm start. */
  readonly warmSteps: number
  /** Steps of each algorithm. */
  readonly steps: number
  readonly questionsPerStep: number
  readonly groupSize: number
  readonly learningRate: number
  /** β of every arm. */
  readonly klCoefficient: number
  readonly maxNewTokens: number
}

/** The default size; how it was chosen is in docs/experiments/drpo-vs-grpo.md. */
export const defaultExperiment: ExperimentSettings = {
  seeds: 3,
  clinicSize: 900,
  judgedSize: 600,
  warmSteps: 700,
  steps: 32,
  questionsPerStep: 16,
  groupSize: 4,
  learningRate: 2e-4,
  klCoefficient: 0.5,
  maxNewTokens: 96,
}

/** Seeds of the clinics: every arm and seed sees the same patients, and is judged by the same others. */
const clinicSeeds = { trains: 42, judges: 777 }

/**
 * The domains of the mini clinic that take part: a recording and three kinds of pictures, of which one is common and three are
 * rare. With all nine, a warm start takes too long to see.
 */
export const experimentDomains = ['ecg', 'chest_xray', 'dermoscopy', 'mri'] as const

/** Labels that say that nothing is there; dermoscopy has none. */
export const noFindingLabels: readonly string[] = ['Normal', 'No Finding', 'No Tumor']

/** Options of a clinic that trains. */
export function clinicOptions({ clinicSize }: ExperimentSettings, preset: ExperimentPreset, dir: string) {
  return { ...commonOptions, dir, seed: clinicSeeds.trains, size: clinicSize, preset } as const
}

/** Options of the clinic that judges. */
export function judgedClinicOptions({ judgedSize }: ExperimentSettings, dir: string) {
  return { ...commonOptions, dir, seed: clinicSeeds.judges, size: judgedSize, preset: 'balanced' } as const
}

const commonOptions = { domains: experimentDomains, difficulty: 'easy' } as const

/** Every patient of the clinic trains: others judge. */
const trainingSplits = ['train', 'valid', 'test']

const sources = (clinic: string) =>
  experimentDomains.map(domain => ({ dataset: `mini_clinic_${domain}`, root: clinic }))

/** Seed of the warm starts' initial weights and order. */
const warmStartSeed = 42

/** Configuration of the warm start of a clinic. */
export function warmStartConfig({ warmSteps }: ExperimentSettings, clinic: string) {
  const schedule = { type: 'cosine', warmupSteps: 10, final: 1e-3 }
  const stage = { name: 'warm-start', algorithm: 'sft', steps: warmSteps, batchSize: 16, learningRate: 3e-3, schedule }
  return {
    name: 'warm-start',
    seed: warmStartSeed,
    threads: 1,
    model: { preset: 'qoq-nano', vocabularySize: 1500 },
    data: { sources: sources(clinic), splits: trainingSplits },
    stages: [{ ...stage, microbatchSize: 16, checkpointEvery: warmSteps }],
  }
}

/** Configuration of an arm that goes on from a warm start. */
export function armConfig(
  settings: ExperimentSettings,
  seed: number,
  { clinic, warmStart, stage }: { clinic: string; warmStart: string; stage: Readonly<Record<string, unknown>> },
) {
  const { steps, questionsPerStep, groupSize, learningRate, klCoefficient, maxNewTokens } = settings
  return {
    name: 'arm',
    seed,
    threads: 1,
    model: { checkpoint: warmStart },
    data: { sources: sources(clinic), splits: trainingSplits },
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
