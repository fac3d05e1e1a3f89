import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** Text or bytes, or what writes them into the file of a name. */
export type FileContent = string | Uint8Array | ((partial: string) => Promise<void>)

/** Numbers the writes of this process, so that two of one file do not share their partial. */
let writes = 0

/**
 * Writes a file as a whole or not at all: into a file beside it, which reaches the disk and then takes the name. Its folder is
 * made where it is missing.
 *
 * @throws what the file system or the function of the content throws; the file is then as it was, and nothing is left beside it
 * @example
 * await writeWhole('run/state.json', JSON.stringify({ step: 3 }))
 * await writeWhole('table.parquet', partial => writeTable(partial, rows))
 */
export async function writeWhole(file: string, content: FileContent): Promise<void> {
  const final = resolve(file)
  const partial = `${final}.${process.pid}-${++writes}.partial`
  await mkdir(dirname(final), { recursive: true })
  try {
    await (typeof content === 'function' ? content(partial) : writeFile(partial, content))
    await toDisk(partial)
    await rename(partial, final)
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined) // what went wrong first is what counts
    throw error
  }
  // The name itself; some systems cannot open a folder, and keep names by themselves.
  await toDisk(dirname(final)).catch(() => undefined)
}

async function toDisk(path: string): Promise<void> {
  const handle = await open(path, 'r+').catch(() => open(path, 'r'))
  await handle.sync().finally(() => handle.close())
}
