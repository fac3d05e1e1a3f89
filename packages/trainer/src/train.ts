import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { loadModel, loraAdapters, saveModel, type PolicyModel, type WeightedModel } from '@qoq-med/model'
import { createOrtExecutor, type Executor } from '@qoq-med/tensor'
import {
  checkpointName,
  listCheckpoints,
  loadOptimizer,
  pruneCheckpoints,
  saveCheckpoint,
  saveStageAdapter,
  type Checkpoint,
  type RunPosition,
} from './checkpoint.ts'
import { isTuned, type TrainConfig, type TunedStage } from './config.ts'
import { runEcgPretrainStage } from './ecg-pretrain-stage.ts'
import { trainerErrors } from './errors.ts'
import { createLearner } from './learner.ts'
import { stageWeights, type StageWeights, type WeightLookup } from './stage-weights.ts'
import { runPolicyStage } from './policy-stage.ts'
import { createSamplePreparer } from './prepared-sample.ts'
import { writeRunReport } from './report/run-report.ts'
import { createRunFolder, resumeRunFolder, type RunFolder } from './run-folder.ts'
import { runSftStage } from './sft-stage.ts'
import type { StageContext, StepProgress } from './stage-context.ts'
import { requireTrainable } from './stage-schedule.ts'
import { startModel } from './start-model.ts'
import { trackedRun } from './tracking/run-tracker.ts'
import { startTrackers, type TrackingOptions } from './tracking/start-trackers.ts'
import { loadTrainingData, stageSamples, type TrainingData } from './training-data.ts'

/** How a run is started. */
export interface TrainOptions {
  /** What relative paths of the configuration are relative to. Default: the working directory. */
  readonly baseFolder?: string | undefined
  /** The run folder; overrides the configuration's `out`. */
  readonly out?: string | undefined
  /** Go on from the last checkpoint in the run folder. */
  readonly resume?: boolean | undefined
  /** Stops after the step that is running and saves. */
  readonly signal?: AbortSignal | undefined
  /** Checks every value of the learner's runs and stops at the operation that makes a NaN; more than twice as slow. */
  readonly debug?: boolean | undefined
  /** Where metrics go beside the run folder. */
  readonly tracking?: TrackingOptions | undefined
  readonly onStart?: ((facts: RunStart) => void) | undefined
  readonly onStep?: ((progress: StepProgress) => void) | undefined
}

/** What a run works with, known before its first step. */
export interface RunStart {
  readonly folder: string
  readonly samples: number
  readonly parameters: number
  readonly vocabulary: number
  /** Rows of the data that were left out, by dataset. */
  readonly skipped: Readonly<Record<string, number>>
  /** Where a resumed run goes on. */
  readonly from?: RunPosition
}

/** What a run leaves. */
export interface TrainResult {
  readonly folder: string
  /** The trained model, as a Hugging Face folder. */
  readonly model: string
  /** The run as a page of HTML. */
  readonly report: string
}

/** Steps that may be left out one after another before a run that skips gives up. */
const maxSkippedSteps = 10

/** Checkpoints that are kept beside the start of the running stage. */
const keptCheckpoints = 2

/**
 * Runs a configuration: its stages in order, each with a fresh optimizer, into a run folder (training.md).
 *
 * @throws TRAINER_RUN_EXISTS, TRAINER_RUN_BUSY, TRAINER_FOLDER_TAKEN, TRAINER_NO_RUN, TRAINER_RESUME_CONFIG, TRAINER_NO_SAMPLES, TRAINER_NOT_FINITE,
 *   TRAINER_ABORTED, and the DATA, MODEL and TENSOR errors of what it uses
 * @example
 * const config = await loadConfig('examples/spine.yaml')
 * await train(config, { baseFolder: 'examples', onStep: ({ step, reward }) => console.log(step, reward) })
 */
export async function train(config: TrainConfig, options: TrainOptions = {}): Promise<TrainResult> {
  const { baseFolder = '.', resume = false } = options
  const folder = resolve(options.out ?? config.out ?? join('runs', config.name))
  const data = await loadTrainingData(config, baseFolder)
  for (const stage of config.stages) stageSamples(stage, data.samples)
  const start = await startModel(config, data.samples, baseFolder)
  requireTrainable(config.stages, start.model.parameters)
  for (const stage of config.stages) requireParts(stage, start.model)
  const facts = { config, versions: packageVersions(), dataFingerprint: data.fingerprint }
  const run = await (resume ? resumeRunFolder(folder, facts) : createRunFolder(folder, facts))
  try {
    return await runIn(run, config, data, start, options)
  } finally {
    await run.release()
  }
}

async function runIn(
  run: RunFolder,
  config: TrainConfig,
  data: TrainingData,
  { model, store: initial }: WeightedModel,
  options: TrainOptions,
): Promise<TrainResult> {
  const { path: folder } = run
  const checkpoint = options.resume ? (await listCheckpoints(folder)).at(-1) : undefined
  if (options.resume) await run.rewind(checkpoint?.position.stageIndex ?? 0, checkpoint?.position.step ?? 0)
  options.onStart?.({
    folder,
    samples: data.samples.length,
    parameters: initial.parameters.reduce((sum, { size }) => sum + size, 0),
    vocabulary: model.config.decoder.vocabSize,
    skipped: data.skipped,
    ...(checkpoint && { from: checkpoint.position }),
  })
  const trackers = await startTrackers(folder, config, options.tracking ?? {})
  const tracked = trackedRun(run, trackers)
  const executor = await createOrtExecutor({ threads: config.threads })
  let outcome: 'finished' | 'stopped' = 'stopped'
  try {
    const running = { config, data, model, run: tracked, executor, options, checkpoint }
    await runStages(running, name => initial.weights(name))
    outcome = 'finished'
    return { folder, model: join(folder, 'model'), report: await writeRunReport(folder) }
  } finally {
    await executor.close()
    for (const tracker of trackers) await tracker.close(outcome)
  }
}

/** Adapters need their layers, and pre-training an ECG encoder. @throws TRAINER_CONFIG_FIELD, MODEL_LORA_INVALID */
function requireParts(stage: TrainConfig['stages'][number], model: PolicyModel): void {
  if (isTuned(stage)) {
    if (stage.lora) loraAdapters(model.parameters, stage.lora)
    return
  }
  if (model.config.ecg === undefined)
    throw trainerErrors.CONFIG_FIELD({
      field: `stages ("${stage.name}").algorithm`,
      reason: 'the model has no ECG encoder',
    })
}

interface Running {
  readonly config: TrainConfig
  readonly data: TrainingData
  readonly model: PolicyModel
  readonly run: RunFolder
  readonly executor: Executor
  readonly options: TrainOptions
  readonly checkpoint: Checkpoint | undefined
}

/** Runs the stages that are left, each from the weights of the one before, and writes the model. */
async function runStages(running: Running, initial: WeightLookup): Promise<void> {
  const { config, checkpoint, model, run } = running
  let trained: StageWeights | undefined
  for (const [stageIndex] of config.stages.entries()) {
    if (checkpoint && stageIndex < checkpoint.position.stageIndex) continue
    trained = await runAnyStage(running, stageIndex, trained?.weights ?? initial)
  }
  await saveModel(join(run.path, 'model'), model, trained?.weights ?? initial)
  const start = checkpointName({ stageIndex: config.stages.length - 1, step: 0 })
  if (trained) await saveStageAdapter(join(run.path, 'adapter'), model, trained, `../checkpoints/${start}/model`)
}

function runAnyStage(running: Running, stageIndex: number, before: WeightLookup): Promise<StageWeights> {
  const { config, data, model, run, executor, options } = running
  const stage = config.stages[stageIndex]!
  const resumed = running.checkpoint?.position.stageIndex === stageIndex ? running.checkpoint : undefined
  if (isTuned(stage)) return runStage(running, { stage, stageIndex, before, resumed })
  return runEcgPretrainStage(stage, {
    config,
    stageIndex,
    model,
    executor,
    run,
    samples: stageSamples(stage, data.samples),
    before,
    resumed,
    keptCheckpoints,
    signal: options.signal,
    onStep: options.onStep,
  })
}

interface TunedRun {
  readonly stage: TunedStage
  readonly stageIndex: number
  readonly before: WeightLookup
  /** A checkpoint of the stage to go on from. */
  readonly resumed: Checkpoint | undefined
}

async function runStage(running: Running, { stage, stageIndex, before, resumed }: TunedRun): Promise<StageWeights> {
  const { config, data, model, run, executor, options } = running
  const trained = await stageWeights({ config, stage, stageIndex, model, before, resumed })
  const { adaptation, weights } = trained
  const learner = createLearner(executor, { decoder: model.config.decoder, encoders: model.encoders }, trained.store, {
    adaptation,
    debug: options.debug,
    weightDecay: stage.weightDecay,
    maxGradientNorm: stage.maxGradientNorm,
    temperature: stage.algorithm === 'sft' ? 1 : stage.rollout.temperature,
  })
  let done: RunPosition = resumed?.position ?? { stageIndex, step: 0 }
  let saved = resumed?.position
  const save = async (): Promise<void> => {
    // Written once only: a kill while it is replaced would leave neither the old one nor the new.
    if (saved === done) return
    await saveCheckpoint(run.path, { model, trained, optimizer: learner.optimizerState(), position: done })
    saved = done
    await pruneCheckpoints(run.path, keptCheckpoints)
  }
  let skipped = 0
  const context: StageContext = {
    config,
    stageIndex,
    model,
    weights,
    executor,
    learner,
    run,
    samples: stageSamples(stage, data.samples),
    prepare: createSamplePreparer(model, { maxPromptTokens: config.data.maxPromptTokens }),
    start: done,
    signal: options.signal,
    onStep: options.onStep,
    finishStep: async (position, outcome) => {
      skipped = outcome === 'skipped' ? skipped + 1 : 0
      if (skipped >= maxSkippedSteps) {
        const where = `so were the ${maxSkippedSteps - 1} steps before; the weights are probably lost`
        throw trainerErrors.NOT_FINITE({ what: 'result', stage: stage.name, step: position.step, where })
      }
      done = position
      if (position.step % stage.checkpointEvery === 0 || position.step === stage.steps) await save()
    },
  }
  try {
    if (resumed) learner.restoreOptimizer(await loadOptimizer(resumed))
    else await save()
    await (stage.algorithm === 'sft'
      ? runSftStage(stage, context)
      : runPolicyStage(stage, context, await referenceWeights(run, stageIndex)))
    return trained
  } catch (error) {
    if (!options.signal?.aborted || error !== options.signal.reason) throw error
    // Nothing of an interrupted step has reached the weights: they are those of the last finished one.
    await save()
    throw trainerErrors.ABORTED({ step: done.step, stage: stage.name, folder: run.path }, { cause: error })
  } finally {
    await learner.close()
  }
}

/** The frozen reference policy of a stage: the weights of its first checkpoint, so that a resumed run has the same. */
async function referenceWeights(run: RunFolder, stageIndex: number): Promise<(name: string) => Float32Array> {
  const folder = join(run.path, 'checkpoints', checkpointName({ stageIndex, step: 0 }), 'model')
  const { store } = await loadModel(folder, { trainable: () => false })
  return name => store.weights(name)
}

function packageVersions(): Record<string, string> {
  const require = createRequire(import.meta.url)
  const ort: unknown = require('onnxruntime-node/package.json')
  const version = typeof ort === 'object' && ort !== null && 'version' in ort ? String(ort.version) : 'unknown'
  return { node: process.versions.node, onnxruntime: version }
}
