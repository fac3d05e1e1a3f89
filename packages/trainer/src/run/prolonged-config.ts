import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { parseConfig } from '../config/load-config.ts'
import type { TrainConfig } from '../config/run-config.ts'
import { trainerErrors } from '../errors.ts'
import type { RunPosition } from './run-position.ts'

/**
 * Compares a configuration with the one that a run was started with. A resumed run may have other `steps` of stages that are not
 * over, no fewer than it has made, and keep another number of checkpoints (`keep`). Where a run lies (`out`) is no difference.
 *
 * @param last where the run stands; undefined before its first checkpoint
 * @returns whether anything differs
 * @throws TRAINER_RESUME_CONFIG naming the first field that may not differ
 */
export async function isProlonged(
  folder: string,
  config: TrainConfig,
  last: RunPosition | undefined,
): Promise<boolean> {
  const changes = differences(comparable(await startedWith(folder)), comparable(config))
  for (const change of changes) {
    const reason = objection(change, last)
    if (reason !== undefined) throw trainerErrors.RESUME_CONFIG({ folder, ...change, reason })
  }
  return changes.length > 0
}

/** A field that two configurations have differently; undefined where one has none. */
interface Difference {
  readonly field: string
  readonly before: unknown
  readonly after: unknown
}

/** Why a difference is refused. */
function objection({ field, after }: Difference, last: RunPosition | undefined): string | undefined {
  if (field === 'keep') return undefined
  const [, stage] = /^stages\.(\d+)\.steps$/.exec(field) ?? []
  if (stage === undefined) return 'it may not change'
  if (last && Number(stage) < last.stageIndex) return 'that stage is over, and later ones go on from what it left'
  if (Number(stage) !== last?.stageIndex) return undefined
  if (last.isFinished) return 'its validation had stopped improving, which ended the stage'
  return Number(after) < last.step ? `${last.step} steps are made` : undefined
}

async function startedWith(folder: string): Promise<TrainConfig> {
  try {
    return parseConfig(parse(await readFile(join(folder, 'config.yaml'), 'utf8')))
  } catch (cause) {
    throw trainerErrors.NO_RUN({ folder }, { cause })
  }
}

/** What counts, as plain JSON. */
function comparable(config: TrainConfig): unknown {
  return JSON.parse(JSON.stringify({ ...config, out: undefined }))
}

function differences(before: unknown, after: unknown, path: readonly string[] = []): Difference[] {
  if (!isBranch(before) || !isBranch(after))
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ field: path.join('.'), before, after }]
  const [left, right] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  return [...new Set([...left.keys(), ...right.keys()])].flatMap(key =>
    differences(left.get(key), right.get(key), [...path, key]),
  )
}

function isBranch(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
