import type { Encoded } from '@qoq-med/model'
import { chunks } from '../chunks.ts'
import type { PolicyStage } from '../config/run-config.ts'
import { criticDefaults } from '../config/stage-fields.ts'
import type { Learner } from '../learn/learner.ts'
import { logprobPass } from '../learn/logprob-pass.ts'
import type { PolicyLossGraphOptions } from '../learn/policy-loss.ts'
import { policyObjective, type CompletionScores } from '../learn/policy-objective.ts'
import { valueObjective } from '../learn/value-objective.ts'
import { mean } from '../means.ts'
import { isLeftOut, naming, requireFinite } from '../run/at-step.ts'
import { firstScores, logprobGap, type FirstScores } from './first-scores.ts'
import type { PolicyParts } from './policy-parts.ts'
import { sequencesOf, type AdvantagedRollout } from './rollout.ts'
import { policyItems, valueItems } from './training-items.ts'

/** What the updates of a step did, averaged over them; a step that only trains the critic has no policy part. */
export interface PolicyUpdateReport {
  readonly loss?: number
  readonly klPenalty?: number
  readonly clipFraction?: number
  readonly dualClipFraction?: number
  readonly gradientNorm?: number
  readonly valueLoss?: number
  readonly valueClipFraction?: number
  readonly criticGradientNorm?: number
  readonly learningRate: number
  readonly updates: number
  /** Updates that were left out because something was not finite. */
  readonly skippedUpdates: number
}

/** What the updates of a step did, and what the trainer said of its rollouts before. */
export interface PolicyUpdate {
  readonly report: PolicyUpdateReport
  /** Absent where only the critic trained, or the first update was left out. */
  readonly first?: FirstScores
}

/** The step's material. */
export interface PolicyUpdateInput {
  readonly rollouts: readonly AdvantagedRollout[]
  readonly step: number
  readonly learningRate: number
  /** β of this step. */
  readonly klCoefficient: number
}

/** What an update reads of its stage. */
type UpdateParts = Pick<PolicyParts, 'stage' | 'answers' | 'learner' | 'critic' | 'prompts'>

/** Numbers of one update, by name. */
type Report = Readonly<Record<string, number>>

interface UpdateOutcome {
  readonly report: Report
  readonly first?: FirstScores
}

/** The part of a step that one update takes. */
interface Minibatch {
  readonly rollouts: readonly AdvantagedRollout[]
  /** Whether no update of the step has changed the policy yet. */
  readonly isFirst: boolean
}

/**
 * Minibatch epochs of the clipped objective, and of the critic's loss where there is a critic. Minibatches are runs of whole
 * questions.
 *
 * @throws StepFault naming loss or parameter and samples, unless the stage skips such updates; and, before the policy has
 *   changed, when sampler and trainer disagree by more than the stage allows
 */
export async function updatePolicy(parts: UpdateParts, input: PolicyUpdateInput): Promise<PolicyUpdate> {
  const { groupSize, minibatches: count, updateEpochs } = parts.stage
  const perMinibatch = Math.ceil(input.rollouts.length / groupSize / count) * groupSize
  const outcomes: (UpdateOutcome | undefined)[] = []
  const restGap = await laterGap(parts, input, input.rollouts.slice(perMinibatch))
  let first: FirstScores | undefined
  for (let epoch = 0; epoch < updateEpochs; epoch++) {
    for (const rollouts of chunks(input.rollouts, perMinibatch)) {
      const outcome = await updateOnce(parts, input, { rollouts, isFirst: first === undefined })
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
  return { report, ...(first && { first: { ...first, logprobGap: Math.max(first.logprobGap, restGap) } }) }
}

/** The gap of the minibatches after the first, which must be measured before the first one moves the weights. */
async function laterGap(
  { stage, answers, learner, critic, prompts }: UpdateParts,
  { step }: PolicyUpdateInput,
  rollouts: readonly AdvantagedRollout[],
): Promise<number> {
  if (stage.logprobGap.over === 'first' || rollouts.length === 0 || isWarmUp(stage, critic, step)) return 0
  const rows: Float32Array[] = []
  for (const part of chunks(rollouts, stage.microbatchSize)) {
    const sequences = sequencesOf(part, await prompts(part.map(({ prepared }) => prepared)))
    rows.push(...(await learner.evaluate(logprobPass(answers), sequences)))
  }
  return logprobGap(stage, rollouts, rows)
}

/** Tells whether the critic of a step learns alone. */
function isWarmUp({ critic: own }: PolicyStage, critic: Learner | undefined, step: number): boolean {
  return critic !== undefined && step <= (own ?? criticDefaults).warmupSteps
}

async function updateOnce(
  parts: UpdateParts,
  input: PolicyUpdateInput,
  minibatch: Minibatch,
): Promise<UpdateOutcome | undefined> {
  const { stage, learner, critic } = parts
  const isWarmingUp = isWarmUp(stage, critic, input.step)
  try {
    return await naming(idsOf(minibatch), async () => {
      const value = critic ? await updateCritic(parts, critic, minibatch) : {}
      const actor = isWarmingUp ? undefined : await updateActor(parts, input, minibatch)
      return { report: { ...value, ...actor?.report }, ...(actor?.first && { first: actor.first }) }
    })
  } catch (error) {
    learner.store.zeroGradients()
    critic?.store.zeroGradients()
    if (!isLeftOut(stage, error)) throw error
    return undefined
  }
}

function idsOf({ rollouts }: Minibatch): string[] {
  return rollouts.map(({ prepared }) => prepared.sample.id)
}

async function updateActor(
  parts: UpdateParts,
  { learningRate, klCoefficient }: PolicyUpdateInput,
  minibatch: Minibatch,
): Promise<UpdateOutcome> {
  const { stage, answers, learner } = parts
  const objective = policyObjective(answers, lossOptions(stage, klCoefficient))
  const sums: Record<string, number> = {}
  const scores: CompletionScores[] = []
  for await (const part of partsOf(parts, minibatch, policyItems(stage, minibatch.rollouts))) {
    const report = await learner.accumulate(objective, part)
    const { scores: rows, ...numbers } = report
    for (const [name, value] of Object.entries(numbers)) sums[name] = (sums[name] ?? 0) + value
    scores.push(...rows)
  }
  requireFinite('loss', sums['loss']!, idsOf(minibatch))
  const first = minibatch.isFirst ? firstScores(stage, minibatch.rollouts, scores) : undefined
  const { gradientNorm } = learner.update(learningRate)
  return { report: { ...sums, gradientNorm }, ...(first && { first }) }
}

async function updateCritic(parts: UpdateParts, critic: Learner, minibatch: Minibatch): Promise<Report> {
  const { stage, answers } = parts
  const { learningRate, clipRange } = stage.critic ?? criticDefaults
  const objective = valueObjective(answers, clipRange)
  let [valueLoss, valueClipFraction] = [0, 0]
  for await (const part of partsOf(parts, minibatch, valueItems(minibatch.rollouts))) {
    const report = await critic.accumulate(objective, part)
    valueLoss += report.loss
    valueClipFraction += report.clipFraction
  }
  requireFinite("critic's loss", valueLoss, idsOf(minibatch))
  return { valueLoss, valueClipFraction, criticGradientNorm: critic.update(learningRate).gradientNorm }
}

/** The items of a minibatch in microbatches, each with its prompts for as long as it takes. */
async function* partsOf<Item>(
  { stage, prompts }: UpdateParts,
  { rollouts }: Minibatch,
  items: readonly Item[],
): AsyncGenerator<(Item & { readonly prompt: Encoded })[]> {
  for (let from = 0; from < items.length; from += stage.microbatchSize) {
    const questions = rollouts.slice(from, from + stage.microbatchSize).map(({ prepared }) => prepared)
    const encoded = await prompts(questions)
    yield encoded.map((prompt, i) => ({ ...items[from + i]!, prompt })) // as many items as rollouts
  }
}

function lossOptions(stage: PolicyStage, klCoefficient: number): PolicyLossGraphOptions {
  const { clipRatioLow, clipRatioHigh, dualClip, klEstimator, klIn } = stage
  return { clipRatioLow, clipRatioHigh, dualClip, klEstimator, klCoefficient: klIn === 'loss' ? klCoefficient : 0 }
}
