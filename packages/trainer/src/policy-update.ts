import { isHintedError } from '@qoq-med/errors'
import type { AdvantageResult } from '@qoq-med/core-drpo'
import type { PolicyStage } from './config.ts'
import { trainerErrors } from './errors.ts'
import type { PolicyTarget } from './learner.ts'
import { tokenWeights, type PolicyLossOptions } from './policy-loss.ts'
import { sequenceOf, type ScoredRollouts } from './rollouts.ts'
import { chunks, mean, type StageContext } from './stage-context.ts'

/** What the updates of a step did, averaged over them. */
export interface PolicyUpdateReport {
  readonly loss: number
  readonly klPenalty: number
  readonly clipFraction: number
  readonly gradientNorm: number
  readonly learningRate: number
  readonly updates: number
  /** Updates that were left out because something was not finite. */
  readonly skippedUpdates: number
}

/** The step's material. */
export interface PolicyUpdateInput {
  readonly scored: ScoredRollouts
  readonly result: AdvantageResult
  readonly step: number
  readonly learningRate: number
}

/**
 * Minibatch epochs of the clipped objective. Minibatches are runs of whole questions.
 *
 * @throws TRAINER_NOT_FINITE, TENSOR_NOT_FINITE unless the stage skips such updates
 */
export async function updatePolicy(
  stage: PolicyStage,
  context: StageContext,
  input: PolicyUpdateInput,
): Promise<PolicyUpdateReport> {
  const { rollouts } = input.scored
  const perMinibatch = Math.ceil(rollouts.length / stage.groupSize / stage.minibatches) * stage.groupSize
  const minibatches = chunks([...rollouts.keys()], perMinibatch)
  const reports: Awaited<ReturnType<typeof updateOnce>>[] = []
  for (let epoch = 0; epoch < stage.epochs; epoch++) {
    for (const minibatch of minibatches) reports.push(await updateOnce(stage, context, input, minibatch))
  }
  const done = reports.filter(report => report !== undefined)
  const average = (of: (report: (typeof done)[number]) => number): number => mean(done.map(of))
  return {
    loss: average(({ loss }) => loss),
    klPenalty: average(({ klPenalty }) => klPenalty),
    clipFraction: average(({ clipFraction }) => clipFraction),
    gradientNorm: average(({ gradientNorm }) => gradientNorm),
    learningRate: input.learningRate,
    updates: done.length,
    skippedUpdates: reports.length - done.length,
  }
}

async function updateOnce(
  stage: PolicyStage,
  { learner }: StageContext,
  { scored, result, step, learningRate }: PolicyUpdateInput,
  minibatch: readonly number[],
) {
  const targets = policyTargets(stage, scored, result, minibatch)
  const sums = { loss: 0, klPenalty: 0, clipFraction: 0 }
  for (const part of chunks([...minibatch.keys()], stage.microbatchSize)) {
    const sequences = part.map(i => sequenceOf(scored.rollouts[minibatch[i]!]!))
    const report = await learner.accumulatePolicy(
      sequences,
      part.map(i => targets[i]!),
      lossOptions(stage),
    )
    for (const name of ['loss', 'klPenalty', 'clipFraction'] as const) sums[name] += report[name]
  }
  try {
    if (!Number.isFinite(sums.loss)) {
      const ids = new Set(minibatch.map(i => scored.rollouts[i]!.prepared.sample.id))
      throw trainerErrors.NOT_FINITE({ what: 'loss', stage: stage.name, step, where: `samples ${[...ids].join(', ')}` })
    }
    return { ...sums, ...learner.update(learningRate) }
  } catch (error) {
    if (stage.onNotFinite !== 'skip' || !isHintedError(error)) throw error
    learner.store.zeroGradients()
    return undefined
  }
}

function policyTargets(
  stage: PolicyStage,
  { rollouts, policy, reference }: ScoredRollouts,
  { advantages }: AdvantageResult,
  minibatch: readonly number[],
): PolicyTarget[] {
  const lengths = minibatch.map(i => rollouts[i]!.completion.tokenIds.length)
  const weights = tokenWeights(lengths, stage.aggregation, stage.rollout.maxNewTokens)
  return minibatch.map((i, place) => ({
    oldLogprobs: policy[i]!.logprobs,
    refLogprobs: reference[i]!,
    advantage: advantages[i]!,
    tokenWeight: weights[place]!,
  }))
}

function lossOptions({ clipRatioLow, clipRatioHigh, dualClip, klCoefficient }: PolicyStage): PolicyLossOptions {
  return { clipRatioLow, clipRatioHigh, dualClip, klCoefficient }
}
