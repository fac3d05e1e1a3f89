import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { openSafetensors, saveAdapter, saveModel, writeSafetensors, type PolicyModel } from '@qoq-med/model'
import type { AdamWState, ParameterStore } from '@qoq-med/tensor'
import type { z } from 'zod'
import { trainerErrors } from '../errors.ts'
import { SavedPosition, type RunPosition } from './run-position.ts'
import type { StageWeights } from './trained-weights.ts'
import { writeChecksums } from './checkpoint-checksums.ts'
import { writeWhole } from '@qoq-med/whole-file'
import { jsonOrNothing } from './json-or-nothing.ts'

/** A whole checkpoint on disk: a model folder, the optimizer's moments, and the position. */
export interface Checkpoint {
  readonly folder: string
  readonly position: RunPosition
}

const stateFile = 'state.json'
const optimizerFile = 'optimizer.safetensors'
const adapterName = 'adapter'
const storeFile = 'store.safetensors'
const criticFile = 'critic.safetensors'

/** What the learners of a stage keep in a checkpoint. */
export interface OptimizerContent {
  readonly optimizer: AdamWState
  /** All weights of the store are kept beside the model: those that pre-training needs and the model has not. */
  readonly keepsStore?: boolean
  /** PPO's critic, its own weights and moments. */
  readonly critic?: { readonly store: ParameterStore; readonly optimizer: AdamWState }
}

/** What is saved. */
export interface CheckpointContent extends OptimizerContent {
  readonly model: PolicyModel
  readonly trained: StageWeights
  readonly position: RunPosition
  /** The model card of its model folder. */
  readonly card?: string
}

/** Name of a checkpoint's folder, in the order of training when sorted by number. */
export function checkpointName({ stageIndex, step }: RunPosition): string {
  return `stage-${stageIndex}-step-${step}`
}

/**
 * Writes a checkpoint: into a temporary folder, flushed to disk, then renamed. A kill at any time leaves either the whole
 * checkpoint or none.
 */
export async function saveCheckpoint(runFolder: string, content: CheckpointContent): Promise<Checkpoint> {
  const { model, trained, optimizer, position, critic, card, keepsStore = false } = content
  const folder = join(runFolder, 'checkpoints', checkpointName(position))
  const temporary = `${folder}.tmp`
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { recursive: true })
  // A base in half precision keeps its types in the final model, but a run goes on from all the bits.
  if (!trained.base) await saveModel(join(temporary, 'model'), model, trained.weights, { dtype: 'F32', card })
  const baseModel = `../../${startName(position)}/model`
  await saveStageAdapter(join(temporary, adapterName), model, trained, { baseModel, card })
  await writeSafetensors(join(temporary, optimizerFile), moments(trained.store, optimizer))
  if (keepsStore) await writeSafetensors(join(temporary, storeFile), storeTensors(trained.store))
  if (critic) await writeSafetensors(join(temporary, criticFile), criticTensors(critic))
  const steps = { optimizerStep: optimizer.step, ...(critic && { criticStep: critic.optimizer.step }) }
  await writeWhole(join(temporary, stateFile), `${JSON.stringify({ ...position, ...steps })}\n`)
  await writeChecksums(temporary)
  await flushFolder(temporary)
  await rm(folder, { recursive: true, force: true })
  await rename(temporary, folder)
  await flushFolder(join(runFolder, 'checkpoints'))
  return { folder, position }
}

function storeTensors(store: ParameterStore) {
  return store.parameters.map(({ name, shape }) => ({ name, shape, data: store.weights(name) }))
}

/** Fills a store from a checkpoint that kept one. @throws TRAINER_CHECKPOINT, MODEL_SAFETENSORS_INVALID when it is damaged */
export async function loadStore({ folder }: Checkpoint, store: ParameterStore): Promise<void> {
  if (!existsSync(join(folder, storeFile))) throw trainerErrors.CHECKPOINT({ folder, reason: `it has no ${storeFile}` })
  const file = await openSafetensors(join(folder, storeFile))
  try {
    for (const { name, size } of store.parameters) {
      const entry = file.entries.find(each => each.name === name)
      if (entry?.lengthBytes !== 4 * size)
        throw trainerErrors.CHECKPOINT({ folder, reason: `${storeFile} does not fit in ${name}` })
      await file.readFloat32(entry, store.weights(name))
    }
  } finally {
    await file.close()
  }
}

/** Writes a stage's adapters in PEFT's format; nothing where it has none. @param merged where their base is, unless that is on disk */
export async function saveStageAdapter(
  folder: string,
  model: PolicyModel,
  { store, adaptation, base }: StageWeights,
  { baseModel, card }: { readonly baseModel: string; readonly card?: string | undefined },
): Promise<void> {
  if (adaptation === undefined) return
  const { adapters } = adaptation
  await saveAdapter(folder, model, {
    adapters,
    weights: name => store.weights(name),
    baseModel: base?.source ?? baseModel,
  })
  if (card !== undefined) await writeWhole(join(folder, 'README.md'), card)
}

/** Where a checkpoint of a stage with adapters has them. */
export function adapterFolder({ folder }: Checkpoint): string {
  return join(folder, adapterName)
}

/** The first checkpoint of the stage that a checkpoint belongs to. */
export function startCheckpoint({ folder, position }: Checkpoint): string {
  return join(folder, '..', startName(position))
}

function startName({ stageIndex }: RunPosition): string {
  return checkpointName({ stageIndex, step: 0 })
}

function criticTensors({ store, optimizer }: NonNullable<CheckpointContent['critic']>) {
  const weights = store.parameters.map(({ name, shape }) => {
    return { name: `weight.${name}`, shape, data: store.weights(name) }
  })
  return [...weights, ...moments(store, optimizer)]
}

function moments(store: ParameterStore, optimizer: AdamWState) {
  const named = (prefix: string, values: Readonly<Record<string, Float32Array>>) =>
    Object.entries(values).map(([name, data]) => ({
      name: `${prefix}.${name}`,
      shape: store.parameter(name).shape,
      data,
    }))
  return [...named('first', optimizer.firstMoments), ...named('second', optimizer.secondMoments)]
}

/**
 * Lists the whole checkpoints of a run, oldest first; what a kill left half-written is not among them.
 *
 * @throws TRAINER_CHECKPOINT when the position of one is damaged or not that of its folder
 */
export async function listCheckpoints(runFolder: string): Promise<Checkpoint[]> {
  const parent = join(runFolder, 'checkpoints')
  if (!existsSync(parent)) return []
  const found: Checkpoint[] = []
  for (const name of await readdir(parent)) {
    const match = /^stage-(\d+)-step-(\d+)$/.exec(name)
    if (match && existsSync(join(parent, name, stateFile))) {
      found.push({ folder: join(parent, name), position: await readPosition(join(parent, name)) })
    }
  }
  return found.toSorted(({ position: a }, { position: b }) => a.stageIndex - b.stageIndex || a.step - b.step)
}

/**
 * Removes all checkpoints but the last `keep`, the start of the running stage (its reference policy) and the best of it, and
 * what kills left half-written.
 */
export async function pruneCheckpoints(runFolder: string, keep: number): Promise<void> {
  const all = await listCheckpoints(runFolder)
  const last = all.at(-1)?.position
  const spared = new Set([0, last?.best?.step ?? 0])
  for (const { folder, position } of all.slice(0, -keep)) {
    const isSpared = position.stageIndex === last?.stageIndex && spared.has(position.step)
    if (!isSpared) await rm(folder, { recursive: true, force: true })
  }
  const parent = join(runFolder, 'checkpoints')
  for (const name of await readdir(parent)) {
    if (/^stage-\d+-step-\d+\.tmp$/.test(name)) await rm(join(parent, name), { recursive: true, force: true })
  }
}

async function readPosition(folder: string): Promise<z.output<typeof SavedPosition>> {
  const parsed = SavedPosition.safeParse(jsonOrNothing(await readFile(join(folder, stateFile), 'utf8')))
  const fail = (reason: string): Error => trainerErrors.CHECKPOINT({ folder, reason: `${stateFile} ${reason}` })
  if (!parsed.success) throw fail(`has no valid ${String(parsed.error.issues[0]?.path[0] ?? 'content')}`)
  const name = checkpointName(parsed.data)
  if (name !== basename(folder)) throw fail(`is that of ${name}`)
  return parsed.data
}

/** Reads the optimizer's state of a checkpoint. @throws TRAINER_CHECKPOINT, MODEL_SAFETENSORS_INVALID when it is damaged */
export async function loadOptimizer({ folder }: Checkpoint): Promise<AdamWState> {
  const { first, second } = await readGroups(folder, optimizerFile)
  const { optimizerStep: step } = await readPosition(folder)
  return { step, firstMoments: first, secondMoments: second }
}

/**
 * Reads the critic of a checkpoint into its store.
 *
 * @returns the state of its optimizer
 * @throws TRAINER_CHECKPOINT, MODEL_SAFETENSORS_INVALID when it is damaged
 */
export async function loadCritic({ folder }: Checkpoint, store: ParameterStore): Promise<AdamWState> {
  const { weight, first, second } = await readGroups(folder, criticFile)
  const { criticStep: step } = await readPosition(folder)
  if (step === undefined) throw trainerErrors.CHECKPOINT({ folder, reason: `${stateFile} has no criticStep` })
  for (const { name, size } of store.parameters) {
    const values = weight[name]
    if (values?.length !== size) {
      throw trainerErrors.CHECKPOINT({ folder, reason: `${criticFile} has no ${name} of ${size} elements` })
    }
    store.weights(name).set(values)
  }
  return { step, firstMoments: first, secondMoments: second }
}

const groupNames = ['weight', 'first', 'second'] as const
type Groups = Record<(typeof groupNames)[number], Record<string, Float32Array>>

/** Reads tensors named `<group>.<parameter>`. */
async function readGroups(folder: string, name: string): Promise<Groups> {
  const path = join(folder, name)
  if (!existsSync(path)) throw trainerErrors.CHECKPOINT({ folder, reason: `it has no ${name}` })
  const file = await openSafetensors(path)
  try {
    const groups: Groups = { weight: {}, first: {}, second: {} }
    for (const entry of file.entries) {
      const dot = entry.name.indexOf('.')
      const group = groupNames.find(each => each === entry.name.slice(0, dot))
      if (!group) throw trainerErrors.CHECKPOINT({ folder, reason: `${name} has an unknown tensor ${entry.name}` })
      groups[group][entry.name.slice(dot + 1)] = await file.readFloat32(entry)
    }
    return groups
  } finally {
    await file.close()
  }
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
