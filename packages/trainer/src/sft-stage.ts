import { isHintedError } from '@qoq-med/errors'
import type { ScoredSequence } from '@qoq-med/model'
import type { SftStage } from './config.ts'
import { trainerErrors } from './errors.ts'
import type { UpdateReport } from './learner.ts'
import { tokenWeights } from './policy-loss.ts'
import type { PreparedSample } from './prepared-sample.ts'
import { samplesAt } from './sample-order.ts'
import { chunks, secondsSince, type StageContext } from './stage-context.ts'
import { stageSchedule } from './stage-schedule.ts'

/**
 * Supervised fine-tuning on reference responses: the warm start of a policy that cannot answer yet (training.md).
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
    const batch = await Promise.all(indices.map(index => context.prepare(samples[index]!)))
    const report = await sftStep(stage, context, batch, { step, learningRate: rate(step) })
    const tokens = batch.reduce((sum, { reference }) => sum + reference.length, 0)
    const seconds = secondsSince(began)
    await run.metric({ stage: stage.name, stageIndex, algorithm: 'sft', step, ...report, tokens, seconds })
    context.onStep?.({ stage: stage.name, algorithm: 'sft', step, steps: stage.steps, loss: report.loss, seconds })
    position = await context.finishStep({ ...position, step }, report.skipped ? 'skipped' : 'done')
  }
}

interface SftReport extends Partial<UpdateReport> {
  readonly loss: number
  readonly skipped?: true
}

async function sftStep(
  stage: SftStage,
  { learner }: StageContext,
  batch: readonly PreparedSample[],
  { step, learningRate }: { step: number; learningRate: number },
): Promise<SftReport> {
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
  try {
    if (!Number.isFinite(loss)) {
      const where = ordered.map(({ sample }) => sample.id).join(', ')
      throw trainerErrors.NOT_FINITE({ what: 'loss', stage: stage.name, step, where: `samples ${where}` })
    }
    return { loss, ...learner.update(learningRate) }
  } catch (error) {
    if (stage.onNotFinite !== 'skip' || !isHintedError(error)) throw error
    learner.store.zeroGradients()
    return { loss, skipped: true }
  }
}

function mediaKey({ prompt }: PreparedSample): string {
  return `${prompt.vision.map(({ gridThw }) => gridThw.join('x')).join()} ${prompt.ecgs.length}`
}
