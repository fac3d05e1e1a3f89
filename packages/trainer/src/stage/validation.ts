import type { Sample } from '@qoq-med/data-climb'
import type { GenerateRequest, Policy } from '@qoq-med/model'
import { accuracy, parseResponse } from '@qoq-med/rewards'
import type { BestValidation, RunPosition } from '../run/run-position.ts'
import type { TrainConfig, TunedStage } from '../config/run-config.ts'
import type { LeftOutSamples } from '../run/left-out-samples.ts'
import { meansByName } from '../rollout/policy-metrics.ts'
import type { SamplePreparer } from '../run/prepared-sample.ts'
import { scoreAnswers, type RunReward } from '../run/run-reward.ts'
import { samplesAt } from '../run/sample-order.ts'
import type { Validation } from '../config/stage-fields.ts'
import { mean } from './stage-context.ts'
import { validationSamples, type TrainingData } from '../run/training-data.ts'

/** How well a policy answers questions that do not train, each answered once with its most likely tokens. */
export interface ValidationReport {
  /** Mean accuracy (3.4: F1 of the label sets). */
  readonly accuracy: number
  readonly accuracyByDomain: Readonly<Record<string, number>>
  /** Mean reward. */
  readonly reward: number
  readonly samples: number
}

/** What a validation needs. */
export interface ValidationInput {
  readonly config: TrainConfig
  readonly data: TrainingData
  readonly policy: Policy
  readonly prepare: SamplePreparer
  readonly leftOut: LeftOutSamples
  readonly reward: RunReward
  readonly signal?: AbortSignal | undefined
}

/** Answers after which a validation of an SFT stage ends them. */
const sftAnswerTokens = 128

/** Asks the policy the same questions at every validation of a run. */
export async function validate(
  stage: TunedStage,
  { samples: count, maxNewTokens }: Validation,
  { config, data, policy, prepare, leftOut, reward, signal }: ValidationInput,
): Promise<ValidationReport> {
  const all = validationSamples(stage, data)
  const indices = samplesAt(all.length, 0, Math.min(count, all.length), config.seed)
  const chosen = indices.map(index => all[index]!)
  const questions = await leftOut.allUsable(chosen, prepare)
  const limit = maxNewTokens ?? (stage.algorithm === 'sft' ? sftAnswerTokens : stage.rollout.maxNewTokens)
  const requests = questions.map(({ prompt }): GenerateRequest => ({ prompt, temperature: 0, maxNewTokens: limit }))
  const outcomes: { sample: Sample; accuracy: number; reward: number }[] = []
  for await (const event of policy.generate(requests, signal ? { signal } : {})) {
    if (event.type !== 'sample-end') continue
    const { sample, truth } = questions[event.request]!
    const response = parseResponse(event.completion.text, sample)
    const [breakdown] = await scoreAnswers(reward, [{ response, truth, sampleId: sample.id }])
    outcomes[event.request] = { sample, accuracy: accuracy(response, truth).score, reward: breakdown?.score ?? 0 }
  }
  return {
    accuracy: mean(outcomes.map(outcome => outcome.accuracy)),
    accuracyByDomain: meansByName(outcomes.map(outcome => ({ [outcome.sample.domain]: outcome.accuracy }))),
    reward: mean(outcomes.map(outcome => outcome.reward)),
    samples: outcomes.length,
  }
}

/** Notes a validation in the position of a run: a new best, or one more that was not; the stage ends when patience does. */
export function afterValidation({ patience }: Validation, position: RunPosition, accuracyNow: number): RunPosition {
  const { best, step } = position
  if (!best || accuracyNow > best.accuracy) return { ...position, best: { step, accuracy: accuracyNow, worse: 0 } }
  const worse: BestValidation = { ...best, worse: best.worse + 1 }
  return { ...position, best: worse, ...(patience !== undefined && worse.worse >= patience && { isFinished: true }) }
}
