import { trainerErrors } from '../errors.ts'
import { requireRun } from './run-facts.ts'
import { readRollouts, type RolloutLine } from './run-log.ts'

/** Which rollout of a run is meant. */
export interface RolloutPlace {
  /** Counted from 1 in its stage. */
  readonly step: number
  /** Counted from 0 in the step. Default 0. */
  readonly sample?: number | undefined
  /** Name of the stage; default: the last one that kept rollouts. */
  readonly stage?: string | undefined
}

/** Why a rollout got its reward and its advantage. */
export interface RolloutExplanation {
  readonly rollout: RolloutLine
  /** Sentences: what was asked and true, how the reward came about, how the advantage. */
  readonly words: readonly string[]
}

/**
 * Explains a rollout that a run has kept in samples.jsonl.
 *
 * @throws TRAINER_NO_RUN when the folder holds no run, TRAINER_NO_ROLLOUT when it has not kept that rollout
 */
export async function explainRollout(runFolder: string, place: RolloutPlace): Promise<RolloutExplanation> {
  await requireRun(runFolder)
  const rollout = chosen(runFolder, await readRollouts(runFolder), place)
  const { id, domain, answer, finish } = rollout
  const cut = finish === 'length' ? ' The answer was cut off at the limit of tokens.' : ''
  return {
    rollout,
    words: [
      `Sample ${id} of the domain ${domain}; the truth is ${answer.join(', ')}.${cut}`,
      rewardWords(rollout),
      rollout.explanation.words,
    ],
  }
}

function chosen(
  runFolder: string,
  rollouts: readonly RolloutLine[],
  { step, sample = 0, stage = rollouts.at(-1)?.stage }: RolloutPlace,
): RolloutLine {
  const ofStage = rollouts.filter(line => line.stage === stage)
  const ofStep = ofStage.filter(line => line.step === step)
  const found = ofStep[sample]
  if (found) return found
  const steps = ofStage.map(line => line.step)
  const kept =
    ofStep.length > 0
      ? `samples 0 to ${ofStep.length - 1} of that step`
      : steps.length > 0
        ? `the steps ${Math.min(...steps)} to ${Math.max(...steps)} of that stage`
        : `the stages ${[...new Set(rollouts.map(line => line.stage))].join(', ') || 'none'}`
  throw trainerErrors.NO_ROLLOUT({ folder: runFolder, stage: stage ?? 'any', step, sample, kept })
}

function rewardWords({ reward, parts, weights, skipped }: RolloutLine): string {
  const terms = Object.entries(parts).map(([name, value]) => `${name} ${show(value)} x ${show(weights[name] ?? 0)}`)
  const left = Object.entries(skipped).map(([name, reason]) => ` ${name} did not apply: ${reason}.`)
  return `It earned ${show(reward)}: ${terms.join(' + ')}.${left.join('')}`
}

function show(value: number): string {
  return String(Number(value.toPrecision(3)))
}
