import { access, mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { fileError, systemCode } from './command-input.ts'
import { cliErrors } from './errors.ts'

/**
 * Writes a file as a whole or not at all: `write` gets the name of a file beside it, which is renamed at the end.
 *
 * @throws CLI_FILE_UNWRITABLE when the place cannot be written, and what `write` throws
 */
export async function writeWhole(file: string, write: (partial: string) => Promise<void>): Promise<void> {
  const partial = `${file}.${process.pid}.partial`
  try {
    await mkdir(path.dirname(file), { recursive: true })
    await write(partial)
    await rename(partial, file)
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => undefined) // what went wrong first is what counts
    const reason = systemCode(cause)
    if (reason === undefined || !placeProblems.has(reason)) throw cause
    throw cliErrors.FILE_UNWRITABLE({ path: file, reason }, { cause })
  }
}

/** What the file system says when a place cannot be written. */
const placeProblems: ReadonlySet<string> = new Set([
  'EACCES',
  'EEXIST',
  'EISDIR',
  'ENOSPC',
  'ENOTDIR',
  'EPERM',
  'EROFS',
])

/** Checks that a file can be read, for a library that opens it by itself. @throws CLI_FILE_MISSING, CLI_FILE_UNREADABLE */
export async function requireFile(file: string, what: string): Promise<void> {
  await access(file).catch((cause: unknown) => {
    throw fileError(cause, file, what)
  })
}
