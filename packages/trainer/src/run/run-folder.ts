import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { writeWhole } from '@qoq-med/whole-file'
import { join } from 'node:path'
import { z } from 'zod'
import type { TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import { configText } from '../config/load-config.ts'
import { listCheckpoints } from './checkpoint.ts'
import { isProlonged } from './prolonged-config.ts'
import { lockRun } from './run-lock.ts'

/** What a run leaves behind: config.yaml, run.json, metrics.jsonl, samples.jsonl, checkpoints/. */
export interface RunFolder {
  readonly path: string
  /** Appends one line to metrics.jsonl. */
  metric(record: Readonly<Record<string, unknown>>): Promise<void>
  /** Appends one line to samples.jsonl: a rollout with its reward and advantage. */
  sample(record: Readonly<Record<string, unknown>>): Promise<void>
  /** Cuts metrics.jsonl and samples.jsonl back to what was written before a step, when a run is resumed there. */
  rewind(stage: number, step: number): Promise<void>
  /** Gives the folder back; another run may resume it. */
  release(): Promise<void>
}

/** Facts of a run that are written once. */
export interface RunFacts {
  readonly config: TrainConfig
  readonly versions: Readonly<Record<string, string>>
  /** sha256 over ids, splits, answers and questions (`TrainingData`). */
  readonly dataFingerprint: string
  /** `mediaFingerprint` of every file of the samples. */
  readonly mediaFingerprint: string
  /** What relative paths of the configuration start from. */
  readonly baseFolder: string
}

/**
 * Creates a run folder.
 *
 * @throws TRAINER_RUN_EXISTS when the folder holds a run
 * @throws TRAINER_RUN_BUSY when another process is beginning one in it
 * @throws TRAINER_FOLDER_TAKEN when it is a file, or holds a config.yaml of someone else's
 */
export async function createRunFolder(path: string, facts: RunFacts): Promise<RunFolder> {
  if (existsSync(join(path, 'run.json'))) throw trainerErrors.RUN_EXISTS({ folder: path })
  const resolved = configText(facts.config)
  await requireFree(path, resolved)
  await mkdir(path, { recursive: true })
  const release = await lockRun(path)
  await writeFile(join(path, 'config.yaml'), resolved)
  await writeFile(join(path, 'metrics.jsonl'), '')
  await writeFile(join(path, 'samples.jsonl'), '')
  // Last, since it marks the folder as a run.
  await writeRecord(path, facts)
  return openFolder(path, release)
}

function writeRecord(path: string, facts: RunFacts): Promise<void> {
  const record = { schemaVersion: 1, ...identity(facts), baseFolder: facts.baseFolder }
  return writeWhole(join(path, 'run.json'), `${JSON.stringify(record, undefined, 2)}\n`)
}

/** A kill before run.json leaves this run's own config.yaml; any other is somebody's file, perhaps the one just read. */
async function requireFree(path: string, resolved: string): Promise<void> {
  const fail = (reason: string): Error => trainerErrors.FOLDER_TAKEN({ folder: path, reason })
  if (existsSync(path) && !(await stat(path)).isDirectory()) throw fail('it is a file')
  const file = join(path, 'config.yaml')
  if (existsSync(file) && (await readFile(file, 'utf8')) !== resolved) throw fail('it holds another config.yaml')
}

/**
 * Opens the folder of a run that was started with the same data and the same configuration, but for what may be prolonged
 * (`isProlonged`); the folder then has the new configuration.
 *
 * @throws TRAINER_NO_RUN when there is none or its run.json is damaged, TRAINER_RESUME_CONFIG, TRAINER_RESUME_DATA, TRAINER_RUN_BUSY
 */
export async function resumeRunFolder(path: string, facts: RunFacts): Promise<RunFolder> {
  const text = await readFile(join(path, 'run.json'), 'utf8').catch((cause: unknown) => {
    throw trainerErrors.NO_RUN({ folder: path }, { cause })
  })
  const known = runRecord(path, text)
  const wanted = identity(facts)
  const last = (await listCheckpoints(path)).at(-1)?.position
  const isOther = known.configHash !== wanted.configHash && (await isProlonged(path, facts.config, last))
  if (known.dataFingerprint !== wanted.dataFingerprint)
    throw trainerErrors.RESUME_DATA({ folder: path, what: 'its samples, splits, questions or answers differ' })
  if (known.mediaFingerprint !== undefined && known.mediaFingerprint !== wanted.mediaFingerprint)
    throw trainerErrors.RESUME_DATA({
      folder: path,
      what: 'a picture, recording or other file of its samples has changed',
    })
  const release = await lockRun(path)
  if (isOther) {
    // A kill between them leaves what the next resume finds equal.
    await writeWhole(join(path, 'config.yaml'), configText(facts.config))
    await writeRecord(path, facts)
  }
  return openFolder(path, release)
}

const RunRecord = z.object({
  configHash: z.string(),
  dataFingerprint: z.string(),
  mediaFingerprint: z.string().optional(),
})

function runRecord(folder: string, text: string): z.output<typeof RunRecord> {
  try {
    return RunRecord.parse(JSON.parse(text))
  } catch (cause) {
    throw trainerErrors.NO_RUN({ folder }, { cause })
  }
}

function identity({ config, versions, dataFingerprint, mediaFingerprint }: RunFacts) {
  // Where a run lies does not change what it computes.
  const { out: _, ...computed } = config
  const configHash = createHash('sha256').update(JSON.stringify(computed)).digest('hex')
  return { name: config.name, seed: config.seed, configHash, dataFingerprint, mediaFingerprint, versions }
}

function openFolder(path: string, release: () => Promise<void>): RunFolder {
  const append = (file: string, record: Readonly<Record<string, unknown>>): Promise<void> =>
    appendFile(join(path, file), `${JSON.stringify(record)}\n`)
  return {
    path,
    release,
    metric: record => append('metrics.jsonl', record),
    sample: record => append('samples.jsonl', record),
    rewind: async (stage, step) => {
      for (const file of ['metrics.jsonl', 'samples.jsonl']) await rewindFile(join(path, file), stage, step)
    },
  }
}

async function rewindFile(path: string, stage: number, step: number): Promise<void> {
  const text = existsSync(path) ? await readFile(path, 'utf8') : ''
  const lines = text.split('\n').filter(line => isBefore(line, stage, step))
  await writeWhole(path, lines.map(line => `${line}\n`).join(''))
}

/** A line that was cut off by a kill counts as not written. */
function isBefore(line: string, stage: number, step: number): boolean {
  try {
    const record: unknown = JSON.parse(line)
    if (typeof record !== 'object' || record === null || !('stageIndex' in record) || !('step' in record)) return false
    return Number(record.stageIndex) < stage || (Number(record.stageIndex) === stage && Number(record.step) <= step)
  } catch {
    return false
  }
}
