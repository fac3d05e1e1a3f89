import { join } from 'node:path'
import { loadAdapter, loadFrozenModel } from '@qoq-med/model'
import { algorithmOf } from '../config/algorithms.ts'
import type { PolicyStage } from '../config/run-config.ts'
import { isTrainable } from '../config/stage-schedule.ts'
import { createLearner, type Learner } from '../learn/learner.ts'
import { createCriticStore } from '../learn/value-objective.ts'
import { adapterFolder, checkpointName, loadCritic } from '../run/checkpoint.ts'
import { promptsFrom } from '../run/prompts.ts'
import type { Run } from '../run/run.ts'
import { stageWeights } from '../run/stage-weights.ts'
import type { WeightLookup } from '../run/trained-weights.ts'
import { stageSamples } from '../run/training-data.ts'
import { needsReference } from './needs-reference.ts'
import type { StageKind, StageStart, StageWork } from './stage-kind.ts'
import { policyNeeds } from './stage-needs.ts'
import { checkTuned, startTuned } from './tuned-parts.ts'
import { validateAnswers } from './validate-answers.ts'
import { policyStep } from './policy-step.ts'

/** Reinforcement learning (section 3.3); `policyStep` is one step of it. */
export const policyKind: StageKind<PolicyStage> = { check: checkTuned, needs: policyNeeds, start: startPolicy }

async function startPolicy(run: Run, start: StageStart<PolicyStage>): Promise<StageWork> {
  const { stage, stageIndex } = start
  const tuned = await startTuned(run, start, stage.rollout.temperature)
  const { trained, learner, policy } = tuned
  const critic = await startCritic(run, start, trained.weights)
  const samples = stageSamples(stage, run.data, run.config)
  const prompts = promptsFrom(run.prepare)
  let referenceWeights: WeightLookup | undefined
  const warned = new Set<string>()
  return {
    trained,
    begin: async () => {
      if (needsReference(stage)) referenceWeights = await startWeights(run, stageIndex)
    },
    step: position =>
      policyStep({ run, stage, stageIndex, samples, prompts, ...tuned, critic, referenceWeights, warned }, position),
    skip: position => ({
      ...position,
      step: position.step + 1,
      cursor: (position.cursor ?? 0) + stage.questionsPerStep,
    }),
    validate: () => validateAnswers(run, stage, { policy, maxNewTokens: stage.rollout.maxNewTokens }),
    content: () => ({
      optimizer: learner.optimizerState(),
      ...(critic && { critic: { store: critic.store, optimizer: critic.optimizerState() } }),
    }),
    weightsAt: resumed => stageWeights({ ...run, ...start, resumed }),
    close: async () => void (await Promise.all([learner.close(), critic?.close(), policy.close()])),
  }
}

/** The critic of a stage, which begins as a copy of its policy. */
async function startCritic(
  { config, executor, model, debug }: Run,
  { stage, resumed }: StageStart<PolicyStage>,
  weights: WeightLookup,
): Promise<Learner | undefined> {
  if (!algorithmOf(stage).hasCritic) return undefined
  const { weightDecay, maxGradientNorm } = stage
  const store = createCriticStore(model, weights, name => isTrainable(stage, name))
  const critic = createLearner(executor, store, { weightDecay, maxGradientNorm, memory: config.memory, debug })
  if (resumed) critic.restoreOptimizer(await loadCritic(resumed, store))
  return critic
}

/** The frozen reference policy of a stage: the weights of its first checkpoint, so that a resumed run has the same. */
async function startWeights({ folder, base, model }: Run, stageIndex: number): Promise<WeightLookup> {
  const position = { stageIndex, step: 0 }
  const first = join(folder.path, 'checkpoints', checkpointName(position))
  if (base) return (await loadAdapter(adapterFolder({ folder: first, position }), model)).weights
  return (await loadFrozenModel(join(first, 'model'))).weights
}
