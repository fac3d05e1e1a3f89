import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { writeWhole } from '@qoq-med/whole-file'
import { z } from 'zod'
import { evalErrors } from '../errors.ts'

const Settings = z.record(z.string(), z.unknown())

/**
 * Keeps in a folder with what choices its evaluation is made, or compares them with those that it was begun with: results of
 * other choices are not written over it.
 *
 * @param settings by the name that a person knows; one that the folder does not have is no difference
 * @throws EVAL_SETTINGS_DIFFER naming the first that differs
 */
export async function keepSettings(dir: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  const file = path.join(dir, 'settings.json')
  const before = await readSettings(file)
  for (const [field, after] of Object.entries(settings)) {
    if (!Object.hasOwn(before, field) || JSON.stringify(before[field]) === JSON.stringify(after ?? null)) continue
    throw evalErrors.SETTINGS_DIFFER({ dir, field, before: before[field], after })
  }
  const known = Object.fromEntries(Object.entries(settings).map(([field, value]) => [field, value ?? null]))
  await writeWhole(file, `${JSON.stringify({ ...before, ...known }, null, 2)}\n`)
}

/** None where there is no file, or one that is damaged: answers of other prompts and settings are told by their keys, too. */
async function readSettings(file: string): Promise<z.output<typeof Settings>> {
  try {
    return Settings.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return {}
  }
}
