import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, stat } from 'node:fs/promises'
import path from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Entry, ZipFile } from 'yauzl'
import { dataErrors } from '../errors.ts'
import { optionalPackage } from '../files/optional-package.ts'

/** What is unpacked and how much of it is believed. */
export interface UnpackOptions {
  readonly archive: 'zip' | 'tar.gz'
  /** Folder that the entries go below. */
  readonly into: string
  /** Leading folders of every entry that are left out; 0 by default. */
  readonly strip?: number
  /** Bytes all entries may have together; by default 200 times the archive, which pictures and signals stay far below. */
  readonly maxBytes?: number
}

const maxExpansion = 200
/** RSPECT, the largest archive, has 2 million files. */
const maxEntries = 10_000_000

/**
 * Unpacks an archive below a folder. Entries that would leave it, links and devices are refused, and so is an archive that
 * holds more than it may; every file appears whole or not at all.
 *
 * @returns the paths that were written, relative to the folder
 * @throws DATA_ARCHIVE_UNSAFE, DATA_ARCHIVE_INVALID, DATA_PACKAGE_MISSING
 */
export async function unpack(file: string, options: UnpackOptions): Promise<string[]> {
  const budget = { left: options.maxBytes ?? (await stat(file)).size * maxExpansion, entries: maxEntries }
  const name = path.basename(file)
  const job: UnpackJob = { name, into: path.resolve(options.into), strip: options.strip ?? 0, budget, written: [] }
  await (options.archive === 'zip' ? unpackZip(file, job) : unpackTar(file, job))
  return job.written
}

interface UnpackJob {
  readonly name: string
  readonly into: string
  readonly strip: number
  readonly budget: { left: number; entries: number }
  readonly written: string[]
}

/** The path of an entry below the folder; undefined when nothing of it is left after stripping. @throws DATA_ARCHIVE_UNSAFE */
function safePath(entry: string, { name, into, strip }: UnpackJob): string | undefined {
  const parts = entry.split('/')
  const isUnsafe =
    path.posix.isAbsolute(entry) || /^[a-z]:/i.test(entry) || /[\\\0]/.test(entry) || parts.includes('..')
  if (isUnsafe) throw dataErrors.ARCHIVE_UNSAFE({ archive: name, problem: 'an entry would leave the folder' })
  const kept = parts.filter(part => part !== '' && part !== '.').slice(strip)
  return kept.length === 0 ? undefined : path.join(into, ...kept)
}

async function writeEntry(entry: string, body: Readable, job: UnpackJob): Promise<void> {
  const target = safePath(entry, job)
  if (--job.budget.entries < 0) throw tooMuch(job, 'too many entries')
  if (target === undefined) return void body.resume()
  await mkdir(path.dirname(target), { recursive: true })
  const meter = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      job.budget.left -= chunk.length
      done(job.budget.left < 0 ? tooMuch(job, 'more bytes than an honest archive of its size') : null, chunk)
    },
  })
  await pipeline(body, meter, createWriteStream(`${target}.part`))
  await rename(`${target}.part`, target)
  job.written.push(path.relative(job.into, target))
}

function tooMuch({ name }: UnpackJob, what: string): Error {
  return dataErrors.ARCHIVE_UNSAFE({ archive: name, problem: `it holds ${what}` })
}

const linkMode = 0o120000
const typeMask = 0o170000

async function unpackZip(file: string, job: UnpackJob): Promise<void> {
  const yauzl = await optionalPackage('yauzl', 'Unpacking a zip', () => import('yauzl'))
  let zip: ZipFile
  try {
    zip = await yauzl.openPromise(file, { lazyEntries: true, autoClose: false })
  } catch (cause) {
    throw dataErrors.ARCHIVE_INVALID({ archive: job.name }, { cause })
  }
  try {
    for await (const entry of zip.eachEntry()) await unzipEntry(zip, entry, job)
  } catch (cause) {
    throw asArchiveError(cause, job)
  } finally {
    zip.close()
  }
}

async function unzipEntry(zip: ZipFile, entry: Entry, job: UnpackJob): Promise<void> {
  const isLink = ((entry.externalFileAttributes >>> 16) & typeMask) === linkMode
  if (isLink) throw dataErrors.ARCHIVE_UNSAFE({ archive: job.name, problem: 'it holds a link' })
  if (entry.fileName.endsWith('/')) return void safePath(entry.fileName, job)
  await writeEntry(entry.fileName, await zip.openReadStreamPromise(entry), job)
}

async function unpackTar(file: string, job: UnpackJob): Promise<void> {
  const { Parser } = await optionalPackage('tar', 'Unpacking a tar.gz', () => import('tar'))
  let failed: unknown
  let work = Promise.resolve()
  // An entry that is not read to its end would hold the archive up for ever.
  const stop = new AbortController()
  const take = async (type: string, name: string, body: Readable): Promise<void> => {
    try {
      if (type === 'Directory') body.resume()
      else if (type === 'File' || type === 'OldFile') await writeEntry(name, body, job)
      else throw dataErrors.ARCHIVE_UNSAFE({ archive: job.name, problem: 'it holds a link or a device' })
    } catch (error) {
      failed ??= error
      stop.abort()
    }
  }
  const parser = new Parser({
    strict: true,
    onReadEntry: entry => {
      const before = work
      // A minipass stream, which Node's pipeline takes.
      work = (async () => {
        await before
        if (failed === undefined) await take(entry.type, entry.path, entry as unknown as Readable)
      })()
    },
  })
  try {
    const sink = parser as unknown as NodeJS.WritableStream // the same
    await pipeline(createReadStream(file), sink, { signal: stop.signal })
    await work
  } catch (cause) {
    failed ??= cause
  }
  if (failed !== undefined) throw asArchiveError(failed, job)
}

/** Keeps our own errors and those of the disk; anything else means that the archive is damaged. */
function asArchiveError(cause: unknown, { name }: UnpackJob): unknown {
  const isOwn = cause instanceof Error && ('hint' in cause || ('syscall' in cause && cause.syscall !== undefined))
  return isOwn ? cause : dataErrors.ARCHIVE_INVALID({ archive: name }, { cause })
}
