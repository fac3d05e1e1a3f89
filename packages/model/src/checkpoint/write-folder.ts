import { randomUUID } from 'node:crypto'
import { access, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { writeWhole } from '@qoq-med/whole-file'
import { modelErrors } from '../errors.ts'

/**
 * Fills a folder so that it is either whole or absent: `fill` writes into a temporary folder beside it, which is synced
 * and then takes the final name. A folder of the same kind that stood there is replaced.
 *
 * @param marker a file that a folder of this kind has; without one nothing is replaced
 * @throws MODEL_OUTPUT_EXISTS when the target holds something else
 */
export async function writeFolderAtomically(
  target: string,
  fill: (folder: string) => Promise<void>,
  marker: string | undefined,
): Promise<void> {
  const final = resolve(target)
  await requireReplaceable(final, marker)
  await mkdir(dirname(final), { recursive: true })
  // Not mkdtemp: its folders are for their owner alone, and this one keeps its permissions.
  const temporary = join(dirname(final), `.${basename(final)}-${randomUUID()}`)
  await mkdir(temporary)
  try {
    await fill(temporary)
    await sync(temporary)
    await replace(final, temporary)
    await sync(dirname(final))
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
}

/**
 * Writes a file so that it is either whole or absent: `write` gets the name of a file beside it, which then takes the final
 * name.
 *
 * @throws MODEL_OUTPUT_EXISTS when the file is there and may not be replaced
 */
export async function writeFileAtomically(
  target: string,
  { mayReplace }: { readonly mayReplace: boolean },
  write: (partial: string) => Promise<void>,
): Promise<void> {
  const final = resolve(target)
  if (!mayReplace && (await isThere(final))) throw modelErrors.OUTPUT_EXISTS({ folder: target })
  await writeWhole(final, write)
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function requireReplaceable(folder: string, marker: string | undefined): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw modelErrors.OUTPUT_EXISTS({ folder }, { cause: error })
  })
  if (entries.length > 0 && (marker === undefined || !entries.includes(marker)))
    throw modelErrors.OUTPUT_EXISTS({ folder })
}

async function replace(final: string, temporary: string): Promise<void> {
  const old = `${temporary}-old`
  const moved = await rename(final, old).then(
    () => true,
    () => false,
  )
  await rename(temporary, final)
  if (moved) await rm(old, { recursive: true, force: true })
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  await handle.sync().finally(() => handle.close())
}
