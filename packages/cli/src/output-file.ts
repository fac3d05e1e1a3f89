import { access, writeFile } from 'node:fs/promises'
import { fileError, systemCode } from './command-input.ts'
import { cliErrors } from './errors.ts'

/**
 * Writes a file as a whole or not at all: `write` gets the name of a file beside it, which is renamed at the end.
 *
 * @throws CLI_FILE_UNWRITABLE when the place cannot be written, and what `write` throws
 */
export async function writeWhole(file: string, write: (partial: string) => Promise<void>): Promise<void> {
  const { writeWhole: writeInPlace } = await import('@qoq-med/whole-file')
  try {
    await writeInPlace(file, write)
  } catch (cause) {
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

/** Writes an HTML page, as a whole or not at all. @throws CLI_FILE_UNWRITABLE */
export function writePage(file: string, html: string): Promise<void> {
  return writeWhole(file, partial => writeFile(partial, html))
}

/** Checks that a file can be read, for a library that opens it by itself. @throws CLI_FILE_MISSING, CLI_FILE_UNREADABLE */
export async function requireFile(file: string, what: string): Promise<void> {
  await access(file).catch((cause: unknown) => {
    throw fileError(cause, file, what)
  })
}
