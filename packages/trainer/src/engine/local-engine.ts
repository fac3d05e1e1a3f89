import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { mediaFingerprint } from '@qoq-med/data-climb'
import { convertModel, saveModel } from '@qoq-med/model'
import { createExecutor, sizeOf } from '@qoq-med/tensor'
import { checkpointName, saveStageAdapter } from '../run/checkpoint.ts'
import { lastCheckpoint } from '../run/last-checkpoint.ts'
import { modelCard } from '../run/model-card.ts'
import { namingFullDisk } from '../run/full-disk.ts'
import type { TrainConfig } from '../config/run-config.ts'
import { LeftOutSamples, readLeftOut } from '../run/left-out-samples.ts'
import { writeRunReport } from '../report/run-report.ts'
import { createRunFolder, resumeRunFolder, type RunFolder } from '../run/run-folder.ts'
import { workingReward } from '../run/run-reward.ts'
import { runStage } from '../stage/run-stage.ts'
import { createSamplePreparer } from '../run/prepared-sample.ts'
import type { Run } from '../run/run.ts'
import { checkSamples, checkStages } from '../stage/check-stages.ts'
import { summariseRun } from '../report/run-summary.ts'
import type { StageWeights, WeightLookup } from '../run/trained-weights.ts'
import { startModel, type StartModel } from '../run/start-model.ts'
import { trackedRun } from '../tracking/run-tracker.ts'
import { startTrackers } from '../tracking/start-trackers.ts'
import { withKnownSteps } from '../run/known-steps.ts'
import { loadTrainingData } from '../run/training-data.ts'
import type { Engine } from './engine.ts'
import type { TrainOptions, TrainResult } from './train-options.ts'

/** This process: ONNX Runtime or TensorFlow.js, stage after stage. */
export const localEngine: Engine = { train: trainHere }

async function trainHere(given: TrainConfig, options: TrainOptions = {}): Promise<TrainResult> {
  const { baseFolder = '.' } = options
  const folder = resolve(options.out ?? given.out ?? join('runs', given.name))
  const data = await loadTrainingData(given, baseFolder, options.samples)
  const config = withKnownSteps(given, data)
  checkSamples(config, data)
  const start = await startModel(config, data.samples, baseFolder)
  try {
    return await trainFrom(start, { config, data, folder, baseFolder }, options)
  } finally {
    await start.base?.close()
  }
}

/** Trains a model that is open. */
async function trainFrom(
  start: StartModel,
  {
    config,
    data,
    folder,
    baseFolder,
  }: Pick<Run, 'config' | 'data'> & Readonly<Record<'folder' | 'baseFolder', string>>,
  options: TrainOptions,
): Promise<TrainResult> {
  const { resume = false } = options
  checkStages(config, start.model)
  const reward = await workingReward(config, { data, model: start.model, baseFolder })
  const facts = {
    config,
    versions: packageVersions(),
    dataFingerprint: data.fingerprint,
    mediaFingerprint: await mediaFingerprint(data.all.samples(), { mode: config.data.fingerprint }),
    baseFolder: resolve(baseFolder),
  }
  return namingFullDisk(folder, async () => {
    const run = await (resume ? resumeRunFolder(folder, facts) : createRunFolder(folder, facts))
    try {
      return await runIn(run, { config, data, reward }, start, options)
    } finally {
      await run.release()
    }
  })
}

async function runIn(
  folder: RunFolder,
  { config, data, reward }: Pick<Run, 'config' | 'data' | 'reward'>,
  { model, weights: initial, base }: StartModel,
  options: TrainOptions,
): Promise<TrainResult> {
  const { path } = folder
  const checkpoint = options.resume ? await lastCheckpoint(path) : undefined
  // Without a checkpoint the run begins anew: nothing that was written counts.
  if (options.resume) await folder.rewind(checkpoint?.position.stageIndex ?? -1, checkpoint?.position.step ?? 0)
  const leftOut = new LeftOutSamples(config, {
    total: data.all.length,
    skippable: data.skippable,
    folder: path,
    failed: await readLeftOut(path),
  })
  options.onStart?.({
    folder: path,
    samples: data.samples.length,
    parameters: model.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    vocabulary: model.config.decoder.vocabSize,
    skipped: data.skipped,
    ...(checkpoint && { from: checkpoint.position }),
  })
  const trackers = await startTrackers(path, config, options.tracking ?? {})
  const executor = await createExecutor({ device: config.device, threads: config.threads })
  const prepare = createSamplePreparer(model, config.data)
  let outcome: 'finished' | 'stopped' = 'stopped'
  try {
    const { signal, onStep, debug } = options
    const tracked = trackedRun(folder, trackers)
    const shared = { config, data, model, base, executor, reward, folder: tracked, prepare, leftOut, checkpoint }
    await runStages({ ...shared, signal, onStep, debug }, initial)
    outcome = 'finished'
    const stages = await summariseRun(path)
    return {
      folder: path,
      model: join(path, 'model'),
      report: await writeRunReport(path),
      stages,
      leftOut: leftOut.samples,
    }
  } finally {
    await executor.close()
    for (const tracker of trackers) await tracker.close(outcome)
  }
}

/** Runs the stages that are left, each from the weights of the one before, and writes the model. */
async function runStages(run: Run, initial: WeightLookup): Promise<void> {
  const { config, checkpoint, model, base, folder } = run
  let trained: StageWeights | undefined
  for (const [stageIndex] of config.stages.entries()) {
    if (checkpoint && stageIndex < checkpoint.position.stageIndex) continue
    trained = await runStage(run, stageIndex, trained?.weights ?? initial)
  }
  const [target, adapter] = [join(folder.path, 'model'), join(folder.path, 'adapter')]
  const card = modelCard(config)
  if (!base) await saveModel(target, model, trained?.weights ?? initial, { card })
  const start = checkpointName({ stageIndex: config.stages.length - 1, step: 0 })
  const baseModel = `../checkpoints/${start}/model`
  if (trained) await saveStageAdapter(adapter, model, trained, { baseModel, card })
  // Weight by weight: a base on disk is never whole in memory.
  const { maxPixels } = config.data
  if (base) await convertModel(base.source, target, { adapter, replace: true, maxPixels, card })
}

function packageVersions(): Record<string, string> {
  const require = createRequire(import.meta.url)
  const ort: unknown = require('onnxruntime-node/package.json')
  const version = typeof ort === 'object' && ort !== null && 'version' in ort ? String(ort.version) : 'unknown'
  return { node: process.versions.node, onnxruntime: version }
}
