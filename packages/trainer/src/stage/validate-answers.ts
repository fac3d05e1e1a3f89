import type { Sample } from '@qoq-med/data-climb'
import type { GenerateRequest, Policy } from '@qoq-med/model'
import { accuracy, parseResponse } from '@qoq-med/rewards'
import type { TunedStage } from '../config/run-config.ts'
import { mean, meansByName } from '../means.ts'
import { questionOf } from '../run/prepared-sample.ts'
import { preparedRuns } from '../run/prompts.ts'
import type { Run } from '../run/run.ts'
import { scoreAnswers } from '../run/run-reward.ts'
import { validationSamples } from '../run/training-data.ts'
import { overallAccuracy } from './overall-accuracy.ts'
import type { ValidationOutcome } from './stage-kind.ts'
import { validationDraw } from './validation-draw.ts'

/** Who answers, and where an answer ends unless the configuration says so. */
export interface Answering {
  readonly policy: Policy
  readonly maxNewTokens: number
}

/**
 * Measures how well a policy answers questions that do not train, the same ones at every validation of a run, each answered
 * once with its most likely tokens: accuracy is the mean F1 of the label sets (3.4). Validations are compared by its mean over
 * domains (eq. 15).
 */
export async function validateAnswers(
  run: Run,
  stage: TunedStage,
  { policy, maxNewTokens }: Answering,
): Promise<ValidationOutcome> {
  const { config, data, prepare, leftOut, reward, signal } = run
  const validation = stage.validate!
  const chosen = await validationDraw(validationSamples(stage, data), validation, config.seed)
  const questions = await leftOut.allUsable(chosen, async sample => questionOf(await prepare(sample)))
  const limit = validation.maxNewTokens ?? maxNewTokens
  const outcomes: { sample: Sample; accuracy: number; reward: number }[] = []
  for await (const { from, prepared } of preparedRuns(prepare, questions, config.data.mediaBytes)) {
    const requests = prepared.map(({ prompt }): GenerateRequest => ({ prompt, temperature: 0, maxNewTokens: limit }))
    for await (const event of policy.generate(requests, signal ? { signal } : {})) {
      if (event.type !== 'sample-end') continue
      const { sample, truth } = prepared[event.request]!
      const response = parseResponse(event.completion.text, sample)
      const [breakdown] = await scoreAnswers(reward, [{ response, truth, sampleId: sample.id }])
      const score = breakdown?.score ?? 0
      outcomes[from + event.request] = { sample, accuracy: accuracy(response, truth).score, reward: score }
    }
  }
  const answers = outcomes.map(({ sample, accuracy: each }) => ({ ...sample, accuracy: each }))
  const { overall, interval } = overallAccuracy(answers, { seed: config.seed })
  const meanAccuracy = mean(outcomes.map(outcome => outcome.accuracy))
  return {
    score: overall,
    metrics: {
      accuracy: meanAccuracy,
      overall,
      interval,
      accuracyByDomain: meansByName(outcomes.map(outcome => ({ [outcome.sample.domain]: outcome.accuracy }))),
      reward: mean(outcomes.map(outcome => outcome.reward)),
      samples: outcomes.length,
    },
    progress: { accuracy: overall, interval },
  }
}
