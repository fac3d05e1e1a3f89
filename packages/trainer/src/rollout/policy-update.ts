import type { AdvantageResult } from '@qoq-med/core-drpo'
import type { PolicyStage } from '../config/run-config.ts'
import type { Critic, ValueTarget } from '../learn/critic.ts'
import type { CompletionScores, PolicyTarget } from '../learn/learner.ts'
import { firstScores, type FirstScores } from './first-scores.ts'
import { isLeftOut, placed, requireFinite, type StepPlace } from '../stage/not-finite.ts'
import { tokenWeights, type PolicyLossOptions } from '../learn/policy-loss.ts'
import { sequenceOf, type ScoredRollouts } from './rollouts.ts'
import { chunks, mean, type StageContext } from '../stage/stage-context.ts'
import { criticDefaults } from '../config/stage-fields.ts'

/** What the updates of a step did, averaged over them; a step that only trains the critic has no policy part. */
export interface PolicyUpdateReport {
  readonly loss?: number
  readonly klPenalty?: number
  readonly clipFraction?: number
  readonly gradientNorm?: number
  readonly valueLoss?: number
  readonly valueClipFraction?: number
  readonly criticGradientNorm?: number
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
  /** β of this step. */
  readonly klCoefficient: number
  readonly critic?: Critic | undefined
}

/** Numbers of one update, by name. */
type Report = Readonly<Record<string, number>>

/**
 * Minibatch epochs of the clipped objective, and of the critic's loss where there is a critic. Minibatches are runs of whole
 * questions.
 *
 * @throws TRAINER_NOT_FINITE naming loss or parameter, step and samples, unless the stage skips such updates
 * @throws TRAINER_LOGPROB_GAP when sampler and trainer disagree by more than the stage allows, before the policy has changed
 */
export async function updatePolicy(
  stage: PolicyStage,
  context: StageContext,
  input: PolicyUpdateInput,
): Promise<{ readonly report: PolicyUpdateReport; readonly first?: FirstScores }> {
  const { rollouts } = input.scored
  const perMinibatch = Math.ceil(rollouts.length / stage.groupSize / stage.minibatches) * stage.groupSize
  const minibatches = chunks([...rollouts.keys()], perMinibatch)
  const outcomes: (UpdateOutcome | undefined)[] = []
  let first: FirstScores | undefined
  for (let epoch = 0; epoch < stage.epochs; epoch++) {
    for (const minibatch of minibatches) {
      const outcome = await updateOnce(stage, context, input, { minibatch, isFirst: first === undefined })
      first ??= outcome?.first
      outcomes.push(outcome)
    }
  }
  const done = outcomes.filter(outcome => outcome !== undefined).map(({ report }) => report)
  const names = new Set(done.flatMap(report => Object.keys(report)))
  const averages = [...names].map(name => [name, mean(done.map(report => report[name] ?? 0))] as const)
  const report = {
    ...Object.fromEntries(averages),
    learningRate: input.learningRate,
    updates: done.length,
    skippedUpdates: outcomes.length - done.length,
  }
  return { report, ...(first && { first }) }
}

interface UpdateOutcome {
  readonly report: Report
  readonly first?: FirstScores
}

interface UpdatePart {
  /** Places among the step's rollouts. */
  readonly minibatch: readonly number[]
  /** Whether no update of the step has changed the policy yet. */
  readonly isFirst: boolean
}

async function updateOnce(
  stage: PolicyStage,
  { learner }: StageContext,
  input: PolicyUpdateInput,
  { minibatch, isFirst }: UpdatePart,
): Promise<UpdateOutcome | undefined> {
  const { critic, step } = input
  const isWarmingUp = critic !== undefined && step <= (stage.critic ?? criticDefaults).warmupSteps
  try {
    const value = critic ? await updateCritic(stage, critic, input, minibatch) : {}
    const actor = isWarmingUp ? undefined : await updateActor(stage, learner, input, { minibatch, isFirst })
    return { report: { ...value, ...actor?.report }, ...(actor?.first && { first: actor.first }) }
  } catch (cause) {
    learner.store.zeroGradients()
    critic?.store.zeroGradients()
    const error = placed(cause, placeOf(stage, input, minibatch))
    if (!isLeftOut(stage, error)) throw error
    return undefined
  }
}

function placeOf(
  stage: PolicyStage,
  { scored, step }: Pick<PolicyUpdateInput, 'scored' | 'step'>,
  minibatch: readonly number[],
): StepPlace {
  return { stage: stage.name, step, samples: minibatch.map(i => scored.rollouts[i]!.prepared.sample.id) }
}

async function updateActor(
  stage: PolicyStage,
  learner: StageContext['learner'],
  { scored, result, step, learningRate, klCoefficient }: PolicyUpdateInput,
  { minibatch, isFirst }: UpdatePart,
): Promise<UpdateOutcome> {
  const targets = policyTargets(stage, scored, result, minibatch)
  const sums = { loss: 0, klPenalty: 0, clipFraction: 0 }
  const scores: CompletionScores[] = []
  for (const part of chunks([...minibatch.keys()], stage.microbatchSize)) {
    const report = await learner.accumulatePolicy(
      part.map(i => sequenceOf(scored.rollouts[minibatch[i]!]!)),
      part.map(i => targets[i]!),
      lossOptions(stage, klCoefficient),
    )
    for (const name of ['loss', 'klPenalty', 'clipFraction'] as const) sums[name] += report[name]
    scores.push(...report.scores)
  }
  requireFinite('loss', sums.loss, placeOf(stage, { scored, step }, minibatch))
  const rollouts = minibatch.map(i => scored.rollouts[i]!)
  const first = isFirst ? firstScores(stage, step, rollouts, scores) : undefined
  const { gradientNorm } = learner.update(learningRate)
  return { report: { ...sums, gradientNorm }, ...(first && { first }) }
}

async function updateCritic(
  stage: PolicyStage,
  critic: Critic,
  { scored, result, step }: PolicyUpdateInput,
  minibatch: readonly number[],
): Promise<Report> {
  const { learningRate, clipRange } = stage.critic ?? criticDefaults
  const targets = valueTargets(scored, result, minibatch)
  let [valueLoss, valueClipFraction] = [0, 0]
  for (const part of chunks([...minibatch.keys()], stage.microbatchSize)) {
    const report = await critic.accumulate(
      part.map(i => sequenceOf(scored.rollouts[minibatch[i]!]!)),
      part.map(i => targets[i]!),
      clipRange,
    )
    valueLoss += report.loss
    valueClipFraction += report.clipFraction
  }
  requireFinite("critic's loss", valueLoss, placeOf(stage, { scored, step }, minibatch))
  return { valueLoss, valueClipFraction, criticGradientNorm: critic.update(learningRate).gradientNorm }
}

function policyTargets(
  stage: PolicyStage,
  { rollouts, reference }: ScoredRollouts,
  { advantages }: AdvantageResult,
  minibatch: readonly number[],
): PolicyTarget[] {
  const lengths = minibatch.map(i => trainedTokens(rollouts[i]!))
  const weights = tokenWeights(lengths, stage.aggregation, stage.rollout.maxNewTokens)
  return minibatch.map((i, place) => ({
    oldLogprobs: rollouts[i]!.completion.logprobs,
    refLogprobs: reference[i]!,
    advantage: advantages[i]!,
    tokenWeight: weights[place]!,
  }))
}

function valueTargets(
  { rollouts, values }: ScoredRollouts,
  result: AdvantageResult,
  minibatch: readonly number[],
): ValueTarget[] {
  const lengths = minibatch.map(i => trainedTokens(rollouts[i]!))
  const weights = tokenWeights(lengths, 'token-mean', Math.max(1, ...lengths))
  const returns = result.level === 'token' ? result.returns : []
  return minibatch.map((i, place) => ({
    returns: returns[i]!,
    oldValues: values![i]!, // whoever has a critic has its values
    tokenWeight: weights[place]!,
  }))
}

/** An answer that does not train counts as one without tokens. */
function trainedTokens({ trains, completion }: ScoredRollouts['rollouts'][number]): number {
  return trains ? completion.tokenIds.length : 0
}

function lossOptions(stage: PolicyStage, klCoefficient: number): PolicyLossOptions {
  const { clipRatioLow, clipRatioHigh, dualClip, klEstimator, klIn } = stage
  return { clipRatioLow, clipRatioHigh, dualClip, klEstimator, klCoefficient: klIn === 'loss' ? klCoefficient : 0 }
}
