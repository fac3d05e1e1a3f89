import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { writeWhole } from '@qoq-med/whole-file'
import { jsonOrNothing } from './json-or-nothing.ts'

/** Holds the SHA-256 of every other file of a checkpoint by its path in it. */
const checksumsFile = 'checksums.json'

const Checksums = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/))

/** Writes the checksums of a checkpoint whose other files are written. */
export async function writeChecksums(folder: string): Promise<void> {
  const checksums: Record<string, string> = {}
  for (const file of await filesOf(folder)) checksums[file] = await sha256(join(folder, file))
  await writeWhole(join(folder, checksumsFile), `${JSON.stringify(checksums, undefined, 2)}\n`)
}

/** The first file that is not what was written; a checkpoint without checksums is as old as it is, and passes. */
export async function damagedFile(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, checksumsFile), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const parsed = Checksums.safeParse(jsonOrNothing(text))
  if (!parsed.success) return checksumsFile
  for (const [file, expected] of Object.entries(parsed.data))
    if ((await sha256(join(folder, file)).catch(() => undefined)) !== expected) return file
  return undefined
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile() && entry.name !== checksumsFile)
  return files.map(entry => relative(folder, join(entry.parentPath, entry.name))).toSorted()
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
