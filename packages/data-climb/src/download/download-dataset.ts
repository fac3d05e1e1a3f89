import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { DatasetFolder } from '../dataset/dataset-folder.ts'
import { dataErrors } from '../errors.ts'
import { findDataset } from '../datasets/registry.ts'
import { fetchFile, type FetchOptions } from './fetch-file.ts'
import { inParallel } from './in-parallel.ts'
import { requireSpace } from './require-space.ts'
import { listFiles, publicHosts, type Hosts, type ListedFile } from './listings.ts'
import type { DownloadSource } from '../dataset/download-source.ts'
import { authorizationOf, downloadSource, lackingAfterDownload } from './sources.ts'
import { unpack } from './unpack.ts'

/** Options of `downloadDataset`. */
export interface DownloadOptions extends Pick<FetchOptions, 'attempts' | 'pauseMs' | 'timeoutMs' | 'signal'> {
  readonly root: string
  /** Where it is fetched from, if not from `downloadSource`. */
  readonly source?: DownloadSource
  /** Gives a credential by the name of its environment variable; the environment by default. */
  readonly secret?: (name: string) => Promise<string | undefined>
  /** Files fetched at a time; 4 by default. */
  readonly parallel?: number
  /** Other hosts than the public ones. */
  readonly hosts?: Partial<Hosts>
  readonly onProgress?: (progress: DownloadProgress) => void
}

/** How far a download is. */
export interface DownloadProgress {
  readonly files: number
  readonly totalFiles: number
  /** Bytes that came in this run. */
  readonly bytes: number
}

/** What a download did. */
export interface DownloadReport {
  readonly dataset: string
  readonly root: string
  /** Files of the source that are there now. */
  readonly files: number
  /** Of these, files that an earlier run had fetched. */
  readonly earlier: number
  readonly bytes: number
  /** What the dataset still lacks, and from where it comes. */
  readonly lacking?: string
}

/**
 * Downloads a dataset: lists its files, looks whether the disk has room, fetches what is missing, verifies checksums and
 * unpacks archives. Stopped at any time, it goes on where it was.
 *
 * @throws DATA_DATASET_UNKNOWN, DATA_DOWNLOAD_MANUAL, DATA_CREDENTIALS_MISSING, DATA_LISTING_INVALID, DATA_DISK_FULL
 * @throws DATA_DOWNLOAD_DENIED, DATA_DOWNLOAD_FAILED, DATA_CHECKSUM_WRONG, DATA_ARCHIVE_UNSAFE, DATA_ARCHIVE_INVALID
 * @throws DATA_PATH_UNSAFE, DATA_PACKAGE_MISSING, and the signal's reason
 */
export async function downloadDataset(dataset: string, options: DownloadOptions): Promise<DownloadReport> {
  const { id, url } = findDataset(dataset)
  const source = options.source ?? downloadSource(id)
  if (source === undefined || source.type === 'manual')
    throw dataErrors.DOWNLOAD_MANUAL({ dataset: id, how: source?.how ?? 'make it with `qoq data synth`', url })
  const { secret = async (name: string) => process.env[name], timeoutMs = 60_000, signal } = options
  const authorization = await authorizationOf(source, secret)
  const hosts = { ...publicHosts, ...options.hosts }
  const listed = await listFiles(source, { hosts, authorization, timeoutMs, signal })
  const folder = new DatasetFolder(id, options.root)
  await mkdir(folder.root, { recursive: true })
  const record = await openRecord(folder)
  const missing: ListedFile[] = []
  for (const file of listed) if (!(await record.has(file))) missing.push(file)
  const maxBytes = await requireSpace(folder.root, missing)
  const lacking = lackingAfterDownload(id)
  const done = { files: listed.length - missing.length, bytes: 0 }
  const tell = () => options.onProgress?.({ ...done, totalFiles: listed.length })
  await inParallel(missing, options.parallel ?? 4, async file => {
    await fetchListed(file, folder, {
      ...options,
      maxBytes,
      // Files of a listing may lie on another host; credentials are for the source's own.
      authorization: new URL(file.url).origin === new URL(hosts[source.type]).origin ? authorization : undefined,
      onBytes: bytes => {
        done.bytes += bytes
        tell()
      },
    })
    await record.add(file)
    done.files++
    tell()
  })
  return {
    dataset: id,
    root: folder.root,
    files: listed.length,
    earlier: listed.length - missing.length,
    bytes: done.bytes,
    ...(lacking !== undefined && options.source === undefined && { lacking }),
  }
}

async function fetchListed(
  listed: ListedFile,
  folder: DatasetFolder,
  options: FetchOptions & { readonly authorization: string | undefined },
): Promise<void> {
  const { url, checksum, bytes, archive, strip = 0 } = listed
  const file = folder.resolve(listed.path)
  const expected = { ...(checksum && { checksum }), ...(bytes !== undefined && { bytes }) }
  await fetchFile({ url, file, authorization: options.authorization, ...expected }, options)
  if (archive === undefined) return
  await unpack(file, { archive, strip, into: path.dirname(file) })
  await rm(file)
}

interface DownloadRecord {
  readonly has: (file: ListedFile) => Promise<boolean>
  readonly add: (file: ListedFile) => Promise<void>
}

/** Keeps which archives are unpacked, since nothing is left of them; any other file is there when it is whole. */
async function openRecord(folder: DatasetFolder): Promise<DownloadRecord> {
  const place = path.join(folder.root, '.qoq-download.jsonl')
  const lines = (await readFile(place, 'utf8').catch(() => '')).split('\n')
  const unpacked = new Set(lines)
  return {
    has: async file => {
      if (file.archive !== undefined) return unpacked.has(lineOf(file))
      const size = await folder.size(file.path)
      return size !== undefined && (file.bytes === undefined || file.bytes === size)
    },
    add: async file => {
      if (file.archive !== undefined) await appendFile(place, `${lineOf(file)}\n`)
    },
  }
}

function lineOf({ path: name, bytes, checksum }: ListedFile): string {
  return JSON.stringify({ path: name, bytes, checksum })
}
