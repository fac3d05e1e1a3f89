import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PolicyModel } from '@qoq-med/model'
import {
  combine,
  loadWeights,
  presetNamed,
  scoreBatch,
  type AsyncReward,
  type BatchRow,
  type Breakdown,
  type CompositeReward,
} from '@qoq-med/rewards'
import type { TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { LeftOutSamples } from './left-out-samples.ts'
import { createSamplePreparer } from './prepared-sample.ts'
import type { TrainingData } from './training-data.ts'

/** The reward of a run; its parts may answer with promises. */
export type RunReward = CompositeReward<AsyncReward>

/** Rewards that are waited for at the same time. */
const concurrency = 16

/**
 * Loads the reward of a run: a preset of the rewards package, or weights by name, with modules of one's own.
 *
 * @param baseFolder what paths of modules are relative to
 * @throws REWARDS_UNKNOWN_REWARD, REWARDS_WEIGHTS_EMPTY, REWARDS_MODULE_UNREADABLE, REWARDS_MODULE_WITHOUT_REWARD
 */
export async function loadRunReward(rewards: TrainConfig['rewards'], baseFolder: string): Promise<RunReward> {
  if (typeof rewards === 'string') return combine(presetNamed(rewards))
  const importModule = (path: string): Promise<unknown> => import(pathToFileURL(resolve(baseFolder, path)).href)
  return combine(await loadWeights(rewards, importModule))
}

/** Scores answers in order; rewards of one's own are waited for. */
export function scoreAnswers(reward: RunReward, rows: readonly BatchRow[]): Promise<readonly Breakdown[]> {
  return scoreBatch(reward, rows, { concurrency })
}

/** What a reward is tried on. */
export interface RewardTrial {
  readonly data: TrainingData
  readonly model: PolicyModel
  readonly baseFolder: string
}

/**
 * Loads the reward of a run and, where it has parts of one's own, tries it on the reference response of a sample: what
 * cannot work is known before the first step, in its own words.
 *
 * @throws TRAINER_REWARD_FAILED, and as `loadRunReward`
 */
export async function workingReward(config: TrainConfig, { data, model, baseFolder }: RewardTrial): Promise<RunReward> {
  const reward = await loadRunReward(config.rewards, baseFolder)
  const isOwn = typeof config.rewards === 'object' && Object.values(config.rewards).some(one => typeof one === 'object')
  if (!isOwn) return reward
  const leftOut = new LeftOutSamples(config, { total: data.all.length, skippable: data.skippable })
  const prepare = createSamplePreparer(model, config.data)
  const { sample, truth, reference } = await leftOut.firstUsable(data.samples, 0, prepare)
  const response = model.tokenizer.decode(reference, { skipSpecial: true })
  const [breakdown] = await scoreAnswers(reward, [{ response, truth, sampleId: sample.id }])
  const [failure] = breakdown?.failures ?? []
  if (failure === undefined) return reward
  const reason = failure.error.message.replace('; it counts as 0', '')
  throw trainerErrors.REWARD_FAILED({ reward: failure.reward, reason }, { cause: failure.error })
}
