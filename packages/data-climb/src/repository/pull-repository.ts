import { mkdir } from 'node:fs/promises'
import { fetchFile, type FetchOptions } from '../download/fetch-file.ts'
import { inParallel } from '../download/in-parallel.ts'
import { requireSpace } from '../download/require-space.ts'
import { listRepository } from './list-repository.ts'
import { RepositoryCache, type PulledRepository } from './repository-cache.ts'
import { requireRepositoryName } from './repository-name.ts'
import { selectFiles } from './select-files.ts'

/** Options of `pullRepository`. */
export interface PullOptions extends Pick<FetchOptions, 'attempts' | 'pauseMs' | 'timeoutMs' | 'signal'> {
  /** The cache, such as `modelsFolder()`. */
  readonly root: string
  /** Patterns of files, in place of those that a model is made of. */
  readonly include?: readonly string[]
  /** Sent to the host, and to nobody that it redirects to. */
  readonly token?: string | undefined
  /** Default https://huggingface.co. */
  readonly host?: string | undefined
  /** Files fetched at a time; 4 by default. */
  readonly parallel?: number
  readonly onProgress?: (progress: PullProgress) => void
}

/** How far a pull is. */
export interface PullProgress {
  /** Files and bytes that came in this run, and those that were missing when it began. */
  readonly files: number
  readonly totalFiles: number
  readonly bytes: number
  readonly totalBytes: number
}

/** What a pull did. */
export interface PullReport extends PulledRepository {
  /** Bytes that came in this run. */
  readonly fetchedBytes: number
}

/**
 * Fetches a model repository into a cache: lists it at one commit, looks whether the disk has room, fetches what is missing and takes
 * only files whose checksums are right. Stopped at any time, it goes on where it was. Nothing of it is run or unpacked.
 *
 * @param name `owner/name` or `owner/name@revision`
 * @throws DATA_OPTION_INVALID, DATA_REPOSITORY_UNKNOWN, DATA_REPOSITORY_FILES, DATA_LISTING_INVALID, DATA_PATH_UNSAFE, DATA_DISK_FULL
 * @throws DATA_OFFLINE, DATA_DOWNLOAD_DENIED, DATA_DOWNLOAD_FAILED, DATA_CHECKSUM_WRONG, DATA_PACKAGE_MISSING, and the signal's reason
 */
export async function pullRepository(name: string, options: PullOptions): Promise<PullReport> {
  const { host = 'https://huggingface.co', token, timeoutMs = 60_000, signal, include } = options
  const asked = requireRepositoryName(name)
  const authorization = token === undefined || token === '' ? undefined : `Bearer ${token}`
  const { commit, files } = await listRepository(asked, { host, authorization, timeoutMs, signal })
  const cache = new RepositoryCache(options.root)
  cache.requirePaths(asked.repository, files)
  const chosen = selectFiles(asked.repository, files, include)
  await mkdir(cache.root, { recursive: true })
  const missing = await cache.missing(chosen)
  const maxBytes = await requireSpace(cache.root, missing)
  const done = { files: 0, bytes: 0 }
  const totalBytes = missing.reduce((sum, { bytes }) => sum + bytes, 0)
  const tell = (): void => options.onProgress?.({ ...done, totalFiles: missing.length, totalBytes })
  await inParallel(missing, options.parallel ?? 4, async ({ url, bytes, checksum }) => {
    const onBytes = (count: number): void => {
      done.bytes += count
      tell()
    }
    await fetchFile(
      { url, bytes, checksum, authorization, file: cache.blob(checksum) },
      { ...options, maxBytes, onBytes },
    )
    done.files++
    tell()
  })
  await cache.add(asked, commit, chosen)
  const pulled = await cache.find(asked)
  return { ...pulled!, fetchedBytes: done.bytes } // it was added
}
