import { join } from 'node:path'
import type { Stage } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { atStep, isLeftOut } from '../run/at-step.ts'
import { checkpointName } from '../run/checkpoint.ts'
import type { Run } from '../run/run.ts'
import type { RunPosition } from '../run/run-position.ts'
import type { StageWeights, WeightLookup } from '../run/trained-weights.ts'
import { secondsSince } from '../seconds-since.ts'
import type { StageWork, StepOutcome } from './stage-kind.ts'
import { kindOf } from './stage-kinds.ts'
import { StageProgress } from './stage-progress.ts'

/**
 * Runs one stage of any kind: its steps, validations and checkpoints.
 *
 * @returns the weights the stage leaves: its last, or its best where it validates
 * @throws TRAINER_ABORTED after a stop, which saves; TRAINER_NOT_FINITE, TRAINER_LOGPROB_GAP, and what its steps throw
 */
export async function runStage(run: Run, stageIndex: number, before: WeightLookup): Promise<StageWeights> {
  const stage = run.config.stages[stageIndex]!
  const resumed = run.checkpoint?.position.stageIndex === stageIndex ? run.checkpoint : undefined
  const work = await kindOf(stage).start(run, { stage, stageIndex, before, resumed })
  const progress = new StageProgress(run, { stage, stageIndex, work, resumed })
  try {
    await runSteps(run, stage, work, progress)
    return await bestWeights(run, work, progress.done)
  } finally {
    await work.close()
  }
}

/** Makes the steps that are left; an interrupted run is saved after its last finished step. */
async function runSteps(run: Run, stage: Stage, work: StageWork, progress: StageProgress): Promise<void> {
  const { signal, folder } = run
  try {
    await progress.begin()
    while (progress.done.step < stage.steps && !progress.done.isFinished) {
      signal?.throwIfAborted()
      const outcome = await makeStep(run, stage, work, progress.done)
      await progress.finishStep(outcome.position, outcome.isSkipped ? 'skipped' : 'done')
    }
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error
    // Nothing of an interrupted step has reached the weights: they are those of the last finished one.
    await progress.save()
    throw trainerErrors.ABORTED({ step: progress.done.step, stage: stage.name, folder: folder.path }, { cause: error })
  }
}

/** One step with its lines in the run folder. */
async function makeStep(run: Run, stage: Stage, work: StageWork, position: RunPosition): Promise<StepOutcome> {
  const { stageIndex } = position
  const step = position.step + 1
  const began = performance.now()
  const outcome = await stepOrSkip(stage, work, position)
  const seconds = secondsSince(began)
  const header = { stage: stage.name, stageIndex, algorithm: stage.algorithm, step }
  await run.folder.metric({ ...header, ...outcome.metrics, seconds })
  for (const sample of outcome.samples ?? []) await run.folder.sample({ ...header, ...sample })
  await run.onStep?.({ ...header, steps: stage.steps, ...outcome.progress, seconds })
  return outcome
}

/** Leaves a step out for a value that is not finite, where the stage says so. */
async function stepOrSkip(stage: Stage, work: StageWork, position: RunPosition): Promise<StepOutcome> {
  try {
    return await atStep({ stage: stage.name, step: position.step + 1 }, () => work.step(position))
  } catch (error) {
    if (!isLeftOut(stage, error)) throw error
    return { position: work.skip(position), metrics: { skipped: true }, progress: {}, isSkipped: true }
  }
}

/** Where a stage validates, its best weights go on, not its last. */
async function bestWeights(run: Run, work: StageWork, { stageIndex, best, step }: RunPosition): Promise<StageWeights> {
  if (!best || best.step === step) return work.trained
  const position = { stageIndex, step: best.step }
  return work.weightsAt({ folder: join(run.folder.path, 'checkpoints', checkpointName(position)), position })
}
