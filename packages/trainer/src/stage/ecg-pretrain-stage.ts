import {
  blockPatchMask,
  createEcgPretraining,
  ecgPredictorFor,
  randomPatchMask,
  type EcgPretraining,
  type PreparedEcg,
} from '@qoq-med/encoders'
import type { Sample } from '@qoq-med/data-climb'
import { counterStream, type PolicyModel } from '@qoq-med/model'
import type { Executor } from '@qoq-med/tensor'
import type { LeftOutSamples } from '../run/left-out-samples.ts'
import { loadOptimizer, loadStore, pruneCheckpoints, saveCheckpoint, type Checkpoint } from '../run/checkpoint.ts'
import type { RunPosition } from '../run/run-position.ts'
import type { EcgPretrainStage, TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { createSamplePreparer } from '../run/prepared-sample.ts'
import type { RunFolder } from '../run/run-folder.ts'
import { mixSeed, samplesAt } from '../run/sample-order.ts'
import { secondsSince, type StepProgress } from './stage-context.ts'
import { stageSchedule } from '../config/stage-schedule.ts'
import type { StageWeights, WeightLookup } from '../run/stage-weights.ts'

/** What ECG-JEPA's pre-training works with. */
export interface EcgPretrainContext {
  readonly config: TrainConfig
  readonly stageIndex: number
  readonly model: PolicyModel
  readonly executor: Executor
  readonly run: RunFolder
  readonly leftOut: LeftOutSamples
  readonly samples: readonly Sample[]
  /** Weights of the whole model before the stage. */
  readonly before: WeightLookup
  readonly resumed: Checkpoint | undefined
  readonly keptCheckpoints: number
  readonly signal?: AbortSignal | undefined
  readonly onStep?: ((progress: StepProgress) => void | Promise<void>) | undefined
}

/** The encoder of the policy has this before its names, the one in pre-training `encoder.`. */
const policyPrefix = 'time_series_embedding.encoder.'

/**
 * Trains the policy's ECG encoder on ECGs alone, without answers: ECG-JEPA's self-supervision. The answer is the
 * model with that encoder; every other weight stays.
 *
 * @throws TRAINER_NOT_FINITE when the loss is not finite, TRAINER_ABORTED after a stop, which saves
 */
export async function runEcgPretrainStage(stage: EcgPretrainStage, context: EcgPretrainContext): Promise<StageWeights> {
  const { config, stageIndex, model, before, resumed, run, signal } = context
  const pretraining = await startPretraining(stage, context)
  const { store } = pretraining
  const weights: WeightLookup = name =>
    name.startsWith(policyPrefix) ? store.weights(name.replace(policyPrefix, 'encoder.')) : before(name)
  const trained: StageWeights = { store, weights }
  let done: RunPosition = resumed?.position ?? { stageIndex, step: 0 }
  let saved = resumed?.position
  const save = async (): Promise<void> => {
    if (saved === done) return
    await saveCheckpoint(run.path, {
      model,
      trained,
      optimizer: pretraining.optimizerState(),
      position: done,
      keepsStore: true,
    })
    saved = done
    await pruneCheckpoints(run.path, context.keptCheckpoints)
  }
  const ecgsOf = ecgBatches(stage, context)
  const rate = stageSchedule(stage)
  try {
    for (let step = done.step + 1; step <= stage.steps; step++) {
      signal?.throwIfAborted()
      const began = performance.now()
      const report = await pretrainStep(stage, pretraining, await ecgsOf(step), {
        rate: rate(step),
        random: counterStream(mixSeed(config.seed, stageIndex), step),
      })
      if (!Number.isFinite(report.loss))
        throw trainerErrors.NOT_FINITE({ what: 'loss', stage: stage.name, step, where: 'pre-training' })
      done = { stageIndex, step }
      const header = { stage: stage.name, algorithm: stage.algorithm, step }
      const seconds = secondsSince(began)
      await run.metric({ ...header, stageIndex, ...report, learningRate: rate(step), seconds })
      await context.onStep?.({ ...header, steps: stage.steps, loss: report.loss, seconds })
      if (step % stage.checkpointEvery === 0 || step === stage.steps) await save()
    }
    return trained
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error
    await save()
    throw trainerErrors.ABORTED({ step: done.step, stage: stage.name, folder: run.path }, { cause: error })
  } finally {
    await pretraining.close()
  }
}

async function startPretraining(stage: EcgPretrainStage, context: EcgPretrainContext): Promise<EcgPretraining> {
  const { config, stageIndex, model, executor, before, resumed } = context
  const { encoder } = model.config.ecg! // checked before the run
  const own = model.parameters.filter(({ name }) => name.startsWith(policyPrefix))
  const pretraining = createEcgPretraining(executor, {
    config: { encoder, predictor: ecgPredictorFor(encoder) },
    totalSteps: stage.steps,
    weightDecay: stage.weightDecay,
    random: counterStream(mixSeed(config.seed, stageIndex), 0),
    initial: new Map(own.map(({ name }) => [name.replace(policyPrefix, 'encoder.'), before(name)])),
  })
  if (resumed) {
    await loadStore(resumed, pretraining.store)
    pretraining.restoreOptimizer(await loadOptimizer(resumed))
  }
  return pretraining
}

/** The ECGs of a step: those of its samples, in the order of a seeded shuffle. */
function ecgBatches(
  { name, batchSize }: EcgPretrainStage,
  { config, stageIndex, model, samples, leftOut }: EcgPretrainContext,
): (step: number) => Promise<PreparedEcg[]> {
  const prepare = createSamplePreparer(model, { maxPromptTokens: config.data.maxPromptTokens })
  return async step => {
    const indices = samplesAt(samples.length, (step - 1) * batchSize, batchSize, config.seed + stageIndex)
    const prepared = await Promise.all(indices.map(index => leftOut.firstUsable(samples, index, prepare)))
    const ecgs = prepared.flatMap(({ prompt }) => prompt.ecgs)
    if (ecgs.length === 0) throw trainerErrors.NO_SAMPLES({ stage: name, filter: ' with an ECG' })
    return ecgs
  }
}

function pretrainStep(
  { mask, maskScale }: EcgPretrainStage,
  pretraining: EcgPretraining,
  ecgs: readonly PreparedEcg[],
  { rate, random }: { readonly rate: number; readonly random: () => number },
) {
  const draw = { random: randomPatchMask, block: blockPatchMask }[mask]
  return pretraining.step(ecgs, rate, draw(pretraining.config.encoder.numPatches, maskScale, random))
}
