import type { ExperimentDefinition, ExperimentPreset } from './experiment-definition.ts'

/** Seeds of the clinics: every arm and seed sees the same patients, and is judged by the same others. */
const clinicSeeds = { trains: 42, judges: 777 }

/** Labels that say that nothing is there; some domains have none. */
export const noFindingLabels: readonly string[] = ['Normal', 'No Finding', 'No Tumor', 'No DR', 'No Hemorrhage']

/** Options of a clinic that trains. */
export function clinicOptions(
  { settings, domains, clinic }: ExperimentDefinition,
  preset: ExperimentPreset,
  dir: string,
) {
  return { ...clinic, domains, dir, seed: clinicSeeds.trains, size: settings.clinicSize, preset } as const
}

/** Options of the clinic that judges. */
export function judgedClinicOptions({ settings, domains, clinic }: ExperimentDefinition, dir: string) {
  return { ...clinic, domains, dir, seed: clinicSeeds.judges, size: settings.judgedSize, preset: 'balanced' } as const
}

/** Every patient of the clinic trains: others judge. */
const trainingSplits = ['train', 'valid', 'test']

/** Seed of the first warm start's initial weights and order; the others follow. */
const firstWarmStart = 42

/** Configuration of the warm start of a clinic. @param seed from 1 */
export function warmStartConfig(definition: ExperimentDefinition, seed: number, clinic: string) {
  const { settings, model, warmStage } = definition
  const { warmSteps: steps } = settings
  return {
    ...commonConfig(definition, clinic),
    name: 'warm-start',
    seed: firstWarmStart + seed - 1,
    model,
    stages: [{ name: 'warm-start', algorithm: 'sft', steps, checkpointEvery: steps, ...warmStage }],
  }
}

/** Configuration of an arm that goes on from a warm start. */
export function armConfig(
  definition: ExperimentDefinition,
  seed: number,
  { clinic, warmStart, stage }: { clinic: string; warmStart: string; stage: Readonly<Record<string, unknown>> },
) {
  const { steps, questionsPerStep, groupSize, learningRate, klCoefficient, maxNewTokens } = definition.settings
  return {
    ...commonConfig(definition, clinic),
    name: 'arm',
    seed,
    model: { checkpoint: warmStart },
    rewards: definition.rewards,
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
        ...definition.policyStage,
        ...stage,
      },
    ],
  }
}

/** What all trainings of an experiment share. */
function commonConfig({ domains }: ExperimentDefinition, clinic: string) {
  const sources = domains.map(domain => ({ dataset: `mini_clinic_${domain}`, root: clinic }))
  return { threads: 1, data: { sources, splits: trainingSplits } }
}
