import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { isHintedError } from '@qoq-med/errors'
import { dataErrors } from '../errors.ts'
import { byteMeter, Trickle } from './byte-meter.ts'
import { httpGet, plainUrl, type HttpResponse } from './http-request.ts'
import { offlineCode } from './offline.ts'

/** A checksum that a source publishes. */
export interface Checksum {
  /** `git` is the name of a file in a Git repository: the SHA-1 of its length and bytes. */
  readonly algorithm: 'sha256' | 'md5' | 'git'
  readonly hex: string
}

/** A file to fetch. */
export interface FileToFetch {
  readonly url: string
  /** Where it goes; until it is whole and right, it is `<file>.part`. */
  readonly file: string
  readonly checksum?: Checksum
  /** Its size, where the source says it. */
  readonly bytes?: number
  readonly authorization?: string | undefined
}

/** How patient a download is. */
export interface FetchOptions {
  readonly signal?: AbortSignal | undefined
  /** Failures in a row without a new byte; 6 by default. */
  readonly attempts?: number
  /** First pause after a failure, doubled each time; 1,000 ms by default. */
  readonly pauseMs?: number
  /** Silence, or a trickle of less than 1,024 bytes a second, after which a connection is given up; 60,000 ms by default. */
  readonly timeoutMs?: number
  /** Most bytes of a file whose size nobody says; without end by default. */
  readonly maxBytes?: number
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/** A server that asks for more patience than this is asked again earlier. */
const maxPauseMs = 120_000

/** What a try came to: all bytes are there, the part is useless, or another try may help. */
type Outcome =
  | { readonly type: 'complete' }
  | { readonly type: 'restart'; readonly reason: string }
  | {
      readonly type: 'retry'
      readonly reason: string
      readonly pauseMs?: number
      readonly isTrickle?: true
      /** What the system says where no server was reached. */
      readonly offline?: string | undefined
    }

/** A slow connection that brought this much is worth another. */
const enoughOfTrickle = 2 ** 20

/** Statuses after which another try may help. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504])

/**
 * Fetches a file: resumes where an earlier try or run stopped, if the server still has the same file; waits as long as the
 * server asks; and takes the file only when its checksum is right.
 *
 * @throws DATA_DOWNLOAD_DENIED, DATA_DOWNLOAD_FAILED, DATA_OFFLINE, DATA_DISK_FULL, DATA_CHECKSUM_WRONG, and the signal's reason
 */
export async function fetchFile(target: FileToFetch, options: FetchOptions = {}): Promise<void> {
  await mkdir(path.dirname(target.file), { recursive: true })
  await fetchBytes(target, options)
  if (!(await isRight(target))) {
    // A resumed part may have been damaged: one fresh copy decides.
    await forget(target.file)
    await fetchBytes(target, options)
    if (!(await isRight(target))) {
      await forget(target.file)
      throw dataErrors.CHECKSUM_WRONG({ file: path.basename(target.file), url: plainUrl(target.url) })
    }
  }
  await rename(`${target.file}.part`, target.file)
  await rm(noteOf(target.file), { force: true })
}

async function fetchBytes(target: FileToFetch, options: FetchOptions): Promise<void> {
  const { attempts = 6, pauseMs = 1000, signal } = options
  let [failures, restarts, before] = [0, 0, await partSize(target.file)]
  for (;;) {
    signal?.throwIfAborted()
    const outcome = await tryOnce(target, options)
    if (outcome.type === 'complete') return
    if (outcome.type === 'restart') {
      restarts++
      await forget(target.file)
    }
    const now = await partSize(target.file)
    const isTrickle = outcome.type === 'retry' && outcome.isTrickle === true
    failures = now - before > (isTrickle ? enoughOfTrickle : 0) ? 0 : failures + 1
    before = now
    if (Math.max(failures, restarts) >= attempts) {
      const code = outcome.type === 'retry' ? outcome.offline : undefined
      if (code !== undefined) throw dataErrors.OFFLINE({ host: new URL(target.url).host, code })
      throw dataErrors.DOWNLOAD_FAILED({ url: plainUrl(target.url), reason: outcome.reason })
    }
    const asked = outcome.type === 'retry' ? outcome.pauseMs : undefined
    await wait(Math.min(maxPauseMs, asked ?? pauseMs * 2 ** Math.max(0, failures - 1)), undefined, signal && { signal })
  }
}

async function tryOnce(target: FileToFetch, options: FetchOptions): Promise<Outcome> {
  const { signal, timeoutMs = 60_000 } = options
  const offset = await partSize(target.file)
  const validator = offset > 0 ? await readFile(noteOf(target.file), 'utf8').catch(() => '') : ''
  const isResumed = offset > 0 && validator !== ''
  const headers = {
    'accept-encoding': 'identity',
    ...(isResumed && { range: `bytes=${offset}-`, 'if-range': validator }),
  }
  try {
    const response = await httpGet({ url: target.url, headers, authorization: target.authorization, timeoutMs, signal })
    const outcome = refusal(response, target, { offset: isResumed ? offset : 0, validator })
    if (outcome) {
      response.body.on('error', () => undefined).destroy()
      return outcome
    }
    return await store(response, target, { ...options, start: response.status === 206 ? offset : 0 })
  } catch (cause) {
    if (isHintedError(cause) || signal?.aborted) throw cause
    if (isFullDisk(cause)) throw fullDisk(target, await partSize(target.file), cause)
    if (cause instanceof Trickle) return { type: 'retry', reason: 'the bytes come too slowly', isTrickle: true }
    return { type: 'retry', reason: reasonOf(cause), offline: offlineCode(cause) }
  }
}

/** What speaks against taking the body of an answer; undefined when it continues the part or begins the file. */
function refusal(
  { status, header }: HttpResponse,
  { url }: FileToFetch,
  { offset, validator }: { readonly offset: number; readonly validator: string },
): Outcome | undefined {
  if (status === 401 || status === 403) throw dataErrors.DOWNLOAD_DENIED({ url: plainUrl(url), status })
  if (passing.has(status))
    return { type: 'retry', reason: `the server answers ${status}`, ...retryAfter(header('retry-after')) }
  if (status === 416) return { type: 'restart', reason: 'the server has another file than before' }
  if (status === 200) return undefined
  if (status !== 206) throw dataErrors.DOWNLOAD_FAILED({ url: plainUrl(url), reason: `the server answers ${status}` })
  const start = /^bytes (\d+)-/.exec(header('content-range') ?? '')?.[1]
  const now = validatorOf(header)
  if (offset === 0 || start === undefined || Number(start) !== offset || (now !== '' && now !== validator))
    return { type: 'restart', reason: 'the server answers with another part than was asked for' }
  return undefined
}

/** Appends a body to the part, or begins it anew, and looks whether all of it came. */
async function store(
  { header, body }: HttpResponse,
  { url, file, bytes }: FileToFetch,
  { start, onBytes, maxBytes = Infinity, timeoutMs = 60_000 }: FetchOptions & { readonly start: number },
): Promise<Outcome> {
  if (start === 0) await writeFile(noteOf(file), validatorOf(header))
  const length = header('content-length')
  const said = bytes ?? (length === undefined ? undefined : start + Number(length))
  const tooLong = () => {
    const reason =
      said === undefined ? `it has more than ${maxBytes} bytes` : `it has more than the ${said} bytes it should have`
    return dataErrors.DOWNLOAD_FAILED({ url: plainUrl(url), reason })
  }
  const meter = byteMeter({ limit: (said ?? maxBytes) - start, tooLong, onBytes, timeoutMs })
  try {
    await pipeline(body, meter, createWriteStream(`${file}.part`, { flags: start === 0 ? 'w' : 'a' }))
  } catch (cause) {
    if (isHintedError(cause)) await forget(file)
    throw cause
  }
  const have = await partSize(file)
  if (said === undefined || have === said) return { type: 'complete' }
  const isWhole = length !== undefined && have === start + Number(length)
  if (isWhole) {
    await forget(file)
    throw dataErrors.DOWNLOAD_FAILED({ url: plainUrl(url), reason: `it has ${have} bytes, and should have ${said}` })
  }
  return { type: 'retry', reason: `the connection ended after ${have} of ${said} bytes` }
}

/** What tells a version of a file: a strong ETag, or else its date; empty when it cannot be told. */
function validatorOf(header: HttpResponse['header']): string {
  const etag = header('etag') ?? ''
  return etag !== '' && !etag.startsWith('W/') ? etag : (header('last-modified') ?? '')
}

function retryAfter(value: string | undefined): { readonly pauseMs?: number } {
  if (value === undefined) return {}
  const pauseMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(pauseMs) ? { pauseMs: Math.max(0, pauseMs) } : {}
}

async function isRight({ file, checksum }: FileToFetch): Promise<boolean> {
  if (checksum === undefined) return true
  const isGit = checksum.algorithm === 'git'
  const hash = createHash(isGit ? 'sha1' : checksum.algorithm)
  if (isGit) hash.update(`blob ${await partSize(file)}\0`)
  for await (const chunk of createReadStream(`${file}.part`)) hash.update(chunk as Buffer) // a stream without encoding gives buffers
  return hash.digest('hex') === checksum.hex.toLowerCase()
}

async function forget(file: string): Promise<void> {
  await rm(`${file}.part`, { force: true })
  await rm(noteOf(file), { force: true })
}

/** Keeps which version of the file the part is of. */
function noteOf(file: string): string {
  return `${file}.part.version`
}

async function partSize(file: string): Promise<number> {
  return stat(`${file}.part`).then(
    ({ size }) => size,
    () => 0,
  )
}

/** What the system says where a disk has no room, or a person no more of it. */
function isFullDisk(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')
}

function fullDisk({ file, bytes = 0 }: FileToFetch, have: number, cause: unknown): Error {
  return dataErrors.DISK_FULL(
    { needBytes: Math.max(1, bytes - have), freeBytes: 0, root: path.dirname(file) },
    { cause },
  )
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
  return code === undefined ? 'the connection failed' : `the connection failed (${code})`
}
