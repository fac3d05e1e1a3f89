import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { systemCode } from '../command-input.ts'
import { cliErrors } from '../errors.ts'

/** Folders that a demo makes below its own, by what they hold. */
export const demoFolders = {
  clinic: 'clinic',
  judges: 'clinic-judges',
  run: 'run',
  measured: 'run-measured',
  warmStart: 'eval-warm-start',
  drpo: 'eval-drpo',
} as const

/** Marks a folder as made by a demo, so that only such a folder is ever replaced. */
const marker = '.qoq-demo'

/**
 * Makes room for a demo: folders of an earlier demo are removed, and nothing else is.
 *
 * @throws CLI_DEMO_FOLDER_TAKEN before anything is removed, when a folder holds files and no demo made it
 */
export async function clearDemoFolders(out: string): Promise<void> {
  const folders = Object.values(demoFolders).map(name => path.join(out, name))
  const contents = await Promise.all(folders.map(namesIn))
  const taken = folders.find((_folder, i) => contents[i]!.length > 0 && !contents[i]!.includes(marker))
  if (taken !== undefined) throw cliErrors.DEMO_FOLDER_TAKEN({ folder: taken })
  for (const [i, folder] of folders.entries())
    if (contents[i]!.length > 0) await rm(folder, { recursive: true, force: true })
}

/** Marks a folder, which exists, as made by this demo. */
export async function markDemoFolder(folder: string): Promise<void> {
  await writeFile(path.join(folder, marker), 'Made by qoq demo, which replaces this folder when it runs here again.\n')
}

/** Makes a folder of this demo. */
export async function newDemoFolder(out: string, name: string): Promise<string> {
  const folder = path.join(out, name)
  await mkdir(folder, { recursive: true })
  await markDemoFolder(folder)
  return folder
}

/** Names in a folder; none where it is missing. A file in its place is taken, whatever it is. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((cause: unknown) => {
    if (systemCode(cause) === 'ENOENT') return []
    throw cliErrors.DEMO_FOLDER_TAKEN({ folder }, { cause })
  })
}
