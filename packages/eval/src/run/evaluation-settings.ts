import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { writeWhole } from '@qoq-med/whole-file'
import { z } from 'zod'
import { evalErrors } from '../errors.ts'

const Settings = z.record(z.string(), z.unknown())

/** Choices of an evaluation by the name that a person knows; what is undefined counts as left out. */
export type EvaluationSettings = Readonly<Record<string, unknown>>

/**
 * Compares the choices of an evaluation with those that the one in a folder was made with: results of other choices are not
 * written over it. A choice that the folder does not have is no difference.
 *
 * @throws EVAL_SETTINGS_DIFFER naming the first that differs
 */
export async function requireSettings(dir: string, settings: EvaluationSettings): Promise<void> {
  const before = await readSettings(fileOf(dir))
  for (const [field, after] of Object.entries(settings)) {
    if (!Object.hasOwn(before, field) || JSON.stringify(before[field]) === JSON.stringify(after ?? null)) continue
    throw evalErrors.SETTINGS_DIFFER({ dir, field, before: before[field], after })
  }
}

/** Keeps the choices beside the first answers that were made with them; none where there are no choices. */
export async function keepSettings(dir: string, settings: EvaluationSettings): Promise<void> {
  const known = Object.entries(settings).map(([field, value]) => [field, value ?? null])
  if (known.length === 0) return
  await writeWhole(fileOf(dir), `${JSON.stringify(Object.fromEntries(known), null, 2)}\n`)
}

function fileOf(dir: string): string {
  return path.join(dir, 'settings.json')
}

/** None where there is no file, or one that is damaged: answers of other prompts and settings are told by their keys, too. */
async function readSettings(file: string): Promise<z.output<typeof Settings>> {
  try {
    return Settings.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return {}
  }
}
