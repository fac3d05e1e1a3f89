import type { ScoredSequence } from '@qoq-med/model'
import type { SftStage } from '../config/run-config.ts'
import type { UpdateReport } from '../learn/learner.ts'
import { isLeftOut, placed, requireFinite } from './not-finite.ts'
import { tokenWeights } from '../learn/policy-loss.ts'
import type { PreparedSample } from '../run/prepared-sample.ts'
import { samplesAt } from '../run/sample-order.ts'
import { chunks, prepareBatch, secondsSince, type StageContext } from './stage-context.ts'
import { stageSchedule } from '../config/stage-schedule.ts'

/**
 * Supervised fine-tuning on reference responses: the warm start of a policy that cannot answer yet.
 *
 * @throws TRAINER_NOT_FINITE when loss or gradient is not finite and the stage says `stop`
 */
export async function runSftStage(stage: SftStage, context: StageContext): Promise<void> {
  const { config, stageIndex, samples, run, signal } = context
  const rate = stageSchedule(stage)
  let position = context.start
  while (position.step < stage.steps && !position.isFinished) {
    signal?.throwIfAborted()
    const began = performance.now()
    const step = position.step + 1
    const indices = samplesAt(samples.length, (step - 1) * stage.batchSize, stage.batchSize, config.seed + stageIndex)
    const report = await sftStep(stage, context, indices, { step, learningRate: rate(step) }).catch(skipIn(stage))
    const seconds = secondsSince(began)
    await run.metric({ stage: stage.name, stageIndex, algorithm: 'sft', step, ...report, seconds })
    const progress = report.skipped ? {} : { loss: report.loss }
    await context.onStep?.({ stage: stage.name, algorithm: 'sft', step, steps: stage.steps, ...progress, seconds })
    position = await context.finishStep({ ...position, step }, report.skipped ? 'skipped' : 'done')
  }
}

type SftReport =
  | (UpdateReport & { readonly loss: number; readonly tokens: number; readonly skipped?: never })
  | SkippedStep

interface SkippedStep {
  readonly skipped: true
}

/** Leaves a step out for a value that is not finite, where the stage says so. */
function skipIn(stage: SftStage): (error: unknown) => SkippedStep {
  return error => {
    if (!isLeftOut(stage, error)) throw error
    return { skipped: true }
  }
}

async function sftStep(
  stage: SftStage,
  context: StageContext,
  indices: readonly number[],
  { step, learningRate }: { step: number; learningRate: number },
): Promise<SftReport> {
  const { learner } = context
  const batch = await prepareBatch(context, indices)
  // Like media together: a microbatch of one modality needs one graph, not one per mixture.
  const ordered = batch.toSorted((a, b) => (mediaKey(a) < mediaKey(b) ? -1 : mediaKey(a) > mediaKey(b) ? 1 : 0))
  const sequences = ordered.map(({ prompt, reference }): ScoredSequence => ({ prompt, completion: reference }))
  const weights = tokenWeights(
    sequences.map(({ completion }) => completion.length),
    'token-mean',
    1,
  )
  const parts = chunks([...sequences.keys()], stage.microbatchSize)
  let loss = 0
  for (const part of parts) {
    loss += await learner.accumulateSft(
      part.map(i => sequences[i]!),
      part.map(i => weights[i]!),
    )
  }
  const place = { stage: stage.name, step, samples: ordered.map(({ sample }) => sample.id) }
  const tokens = sequences.reduce((sum, { completion }) => sum + completion.length, 0)
  try {
    requireFinite('loss', loss, place)
    return { loss, ...learner.update(learningRate), tokens }
  } catch (cause) {
    learner.store.zeroGradients()
    throw placed(cause, place)
  }
}

function mediaKey({ prompt }: PreparedSample): string {
  return `${prompt.vision.map(({ gridThw }) => gridThw.join('x')).join()} ${prompt.ecgs.length}`
}
