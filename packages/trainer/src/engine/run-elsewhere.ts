import { appendFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { mediaFingerprint } from '@qoq-med/data-climb'
import { HintedError } from '@qoq-med/errors'
import { saveModel } from '@qoq-med/model'
import { sizeOf } from '@qoq-med/tensor'
import { writeWhole } from '@qoq-med/whole-file'
import { z } from 'zod'
import { algorithmOf } from '../config/algorithms.ts'
import type { PolicyStage, TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { stepHazards } from '../rollout/step-hazards.ts'
import { writeRunReport } from '../report/run-report.ts'
import { summariseRun } from '../report/run-summary.ts'
import { jsonOrNothing } from '../run/json-or-nothing.ts'
import { withKnownSteps } from '../run/known-steps.ts'
import { LeftOutSamples, readLeftOut } from '../run/left-out-samples.ts'
import { modelCard } from '../run/model-card.ts'
import { createSamplePreparer, type Question } from '../run/prepared-sample.ts'
import { createRunFolder, resumeRunFolder, type RunFolder } from '../run/run-folder.ts'
import { workingReward, type RunReward } from '../run/run-reward.ts'
import { startModel, type StartModel } from '../run/start-model.ts'
import { loadTrainingData, stageSamples, type TrainingData } from '../run/training-data.ts'
import { checkSamples, checkStages } from '../stage/check-stages.ts'
import { trackedRun } from '../tracking/run-tracker.ts'
import { startTrackers } from '../tracking/start-trackers.ts'
import { clusterOf } from './cluster.ts'
import type { Engine, ExternalEngine, Job } from './engine.ts'
import { followJob, type FollowedJob } from './follow-job.ts'
import { jobQuestions, writeJobRows } from './job-rows.ts'
import { externalStage } from './refused-fields.ts'
import type { RewardServer } from './reward-server.ts'
import { stepRecords } from './step-records.ts'
import type { TrainOptions, TrainResult } from './train-options.ts'

/** What a run elsewhere is made of. */
interface OuterRun {
  readonly engine: ExternalEngine
  readonly config: TrainConfig
  readonly stage: PolicyStage
  readonly data: TrainingData
  readonly start: StartModel
  readonly reward: RunReward
  readonly questions: readonly Question[]
  readonly folder: RunFolder
  readonly baseFolder: string
  readonly leftOut: LeftOutSamples
  readonly options: TrainOptions
}

/** An engine outside this process as one that trains: it refuses, sends, follows, and brings back. */
export function elsewhere(engine: ExternalEngine): Engine {
  return { train: (config, options) => runElsewhere(engine, config, options) }
}

async function runElsewhere(engine: ExternalEngine, given: TrainConfig, options: TrainOptions): Promise<TrainResult> {
  const { baseFolder = '.', attach = false } = options
  const path = resolve(options.out ?? given.out ?? join('runs', given.name))
  const data = await loadTrainingData(given, baseFolder, options.samples)
  const config = withKnownSteps(given, data)
  checkSamples(config, data)
  const stage = externalStage(engine, config)
  if (options.resume === true)
    throw trainerErrors.ENGINE_FIELD({
      engine: engine.name,
      field: '--resume',
      reason: 'goes on with --attach while its job runs',
    })
  if (!attach) await engine.probe(config)
  const start = await startModel(config, data.samples, baseFolder)
  checkStages(config, start.model)
  const reward = await workingReward(config, { data, model: start.model, baseFolder })
  const facts = {
    config,
    versions: { node: process.versions.node, engine: engine.name },
    dataFingerprint: data.fingerprint,
    mediaFingerprint: await mediaFingerprint(data.all.samples(), { mode: config.data.fingerprint }),
    baseFolder: resolve(baseFolder),
  }
  const leftOut = new LeftOutSamples(config, {
    total: data.all.length,
    skippable: data.skippable,
    folder: path,
    failed: await readLeftOut(path),
  })
  const prepare = createSamplePreparer(start.model, config.data)
  const samples = stageSamples(stage, data, config)
  const questions = await jobQuestions({ config, stage, samples, prepare, leftOut })
  const folder = await (attach ? resumeRunFolder(path, facts) : createRunFolder(path, facts))
  try {
    return await runJob({ engine, config, stage, data, start, reward, questions, folder, baseFolder, leftOut, options })
  } finally {
    await folder.release()
  }
}

async function runJob(run: OuterRun): Promise<TrainResult> {
  const { config, folder, data, start, options } = run
  options.onStart?.({
    folder: folder.path,
    samples: data.samples.length,
    parameters: start.model.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    vocabulary: start.model.config.decoder.vocabSize,
    skipped: data.skipped,
  })
  const { job, server } = await (options.attach ? openAgain(run) : startJob(run))
  const trackers = await startTrackers(folder.path, config, options.tracking ?? {})
  let outcome: 'finished' | 'stopped' = 'stopped'
  try {
    // What was written before an attachment is written again: the log has all of it.
    await folder.rewind(-1, 0)
    const logFile = join(folder.path, 'job', 'log.txt')
    await writeFile(logFile, '')
    const followed = await followJob(job, {
      signal: options.signal,
      onInterrupt: async () => (await options.onInterrupt?.(job.id)) ?? 'stop',
      onText: text => appendFile(logFile, text),
      onStep: step => recordStep({ ...run, folder: trackedRun(folder, trackers) }, step),
    })
    await bringBack(run, job, followed)
    outcome = 'finished'
    const stages = await summariseRun(folder.path)
    return {
      folder: folder.path,
      model: join(folder.path, 'model'),
      report: await writeRunReport(folder.path),
      stages,
      leftOut: run.leftOut.samples,
    }
  } finally {
    await server?.close()
    for (const tracker of trackers) await tracker.close(outcome)
  }
}

/** What names a running job to a process that comes after this one. The key stands in a file of its own. */
const JobRecord = z.object({ engine: z.string(), id: z.string(), server: z.string().optional() })

async function startJob(run: OuterRun): Promise<{ job: Job; server: RewardServer | undefined }> {
  const { engine, config, folder, options } = run
  const place = join(folder.path, 'job')
  await writeJob(place, run)
  const own = clusterOf(config).rewards === undefined
  const host = await engine.serverHost?.(config)
  const server = own ? await options.serveRewards?.({ ...(host !== undefined && { host }) }) : undefined
  const url = server?.url ?? clusterOf(config).rewards
  if (url === undefined)
    throw trainerErrors.ENGINE_MISSING({ engine: engine.name, what: 'a server of rewards', tried: 'cluster.rewards' })
  const key = server ? server.key : process.env['QOQ_KEY']
  try {
    const environment = {
      QOQ_URL: url,
      ...(key !== undefined && { QOQ_KEY: key }),
      QOQ_PATIENCE: String(clusterOf(config).patience),
    }
    const job = await engine.start({ folder: place, config, environment })
    if (server?.key !== undefined) await writeFile(join(place, 'key'), server.key, { mode: 0o600 })
    const record = { engine: engine.name, id: job.id, ...(server && { server: server.url }) }
    await writeWhole(join(folder.path, 'job.json'), `${JSON.stringify(record)}\n`)
    options.onNote?.(`The ${engine.name} job ${job.id} runs; --attach follows it again.`)
    return { job, server }
  } catch (error) {
    await server?.close()
    throw error
  }
}

/** @throws TRAINER_NO_JOB */
async function openAgain({
  engine,
  config,
  folder,
  options,
}: OuterRun): Promise<{ job: Job; server: RewardServer | undefined }> {
  const place = join(folder.path, 'job')
  const text = await readFile(join(folder.path, 'job.json'), 'utf8').catch(() => '')
  const record = JobRecord.safeParse(jsonOrNothing(text)).data
  if (record?.engine !== engine.name) throw trainerErrors.NO_JOB({ folder: folder.path, engine: engine.name })
  const key = await readFile(join(place, 'key'), 'utf8').catch(() => undefined)
  const { hostname: host = '', port = '' } = record.server === undefined ? {} : new URL(record.server)
  const server = host === '' ? undefined : await options.serveRewards?.({ host, port: Number(port), key })
  options.onNote?.(`Following the ${engine.name} job ${record.id} again.`)
  return { job: engine.open(record.id, { config, folder: place }), server }
}

async function writeJob(
  place: string,
  { engine, config, stage, start, questions, baseFolder }: OuterRun,
): Promise<void> {
  await mkdir(place, { recursive: true })
  const { checkpoint } = config.model
  const model = checkpoint === undefined ? join(place, 'model') : resolve(baseFolder, checkpoint)
  if (checkpoint === undefined) await saveModel(model, start.model, start.weights, { card: modelCard(config) })
  await writeJobRows(place, questions, { config, stage, model: start.model, engine: engine.name })
  const { estimator, readsKl } = algorithmOf(stage)
  const job = {
    version: 1,
    engine: engine.name,
    model: clusterOf(config).model ?? model,
    folder: clusterOf(config).folder ?? join(place, 'out'),
    threads: Math.max(1, Math.floor(config.threads / clusterOf(config).processes)),
    qoq: {
      rewards: typeof config.rewards === 'string' ? { preset: config.rewards } : { weights: config.rewards },
      advantages: { estimator, options: stage.advantage },
      readsKl: readsKl === true,
      updatesPerStep: stage.updateEpochs * stage.minibatches,
      keptResponses: config.keptRollouts,
    },
    ...engine.settings(config, stage),
  }
  await writeFile(join(place, 'job.json'), `${JSON.stringify(job, undefined, 2)}\n`)
}

async function recordStep(run: OuterRun, step: Parameters<typeof stepRecords>[0]): Promise<void> {
  const { config, stage, reward, questions, folder, options } = run
  const { metrics, samples, summary } = await stepRecords(step, { config, stage, reward, questions })
  const header = { stage: stage.name, stageIndex: 0, algorithm: stage.algorithm, step: step.step }
  await folder.metric({ ...header, ...metrics, seconds: step.seconds })
  for (const sample of samples) await folder.sample({ ...header, ...sample })
  const warnings = step.step === 1 ? stepHazards(metrics).map(({ warning }) => warning) : []
  await options.onStep?.({
    ...header,
    steps: stage.steps,
    ...summary,
    seconds: step.seconds,
    ...(warnings.length > 0 && { warnings }),
  })
}

/** Copies the trained model into the run folder, or says why there is none. */
async function bringBack(
  { engine, config, stage, folder }: OuterRun,
  job: Job,
  { state, log }: FollowedJob,
): Promise<void> {
  const { lastStep: step } = log
  if (state === 'detached') throw trainerErrors.JOB_LEFT({ engine: engine.name, job: job.id, step })
  if (state === 'stopped') throw trainerErrors.JOB_STOPPED({ engine: engine.name, job: job.id, step })
  const file = join(folder.path, 'job', 'log.txt')
  if (state === 'failed' && log.fault) throw new HintedError(log.fault.code, log.fault.message, log.fault.hint)
  if (state === 'failed' || log.model === undefined || step < stage.steps)
    throw trainerErrors.ENGINE_FAILED({ engine: engine.name, job: job.id, step, log: file })
  const model = join(folder.path, 'model')
  await cp(log.model, model, { recursive: true }).catch((cause: unknown) => {
    throw trainerErrors.ENGINE_MODEL({ engine: engine.name, job: job.id, place: log.model ?? '' }, { cause })
  })
  await writeFile(join(model, 'README.md'), modelCard(config))
}
