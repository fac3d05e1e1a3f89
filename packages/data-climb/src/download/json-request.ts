import { pipeline } from 'node:stream/promises'
import { isHintedError } from '@qoq-med/errors'
import type { z } from 'zod'
import { dataErrors } from '../errors.ts'
import { byteMeter } from './byte-meter.ts'
import { httpGet, plainUrl, type HttpResponse } from './http-request.ts'
import { offlineCode } from './offline.ts'

/** What a list of files is asked with. */
export interface JsonRequest {
  readonly authorization: string | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  /** The error where the server knows nothing there. Default DATA_DOWNLOAD_FAILED. */
  readonly unknown?: () => Error
}

/** A list that is larger than this is none. */
const maxListingBytes = 512 * 2 ** 20

/** A path as it stands in a URL. */
export function encodedPath(file: string): string {
  return file.split('/').map(encodeURIComponent).join('/')
}

/**
 * Asks for JSON of a form.
 *
 * @throws as `textOf`, DATA_LISTING_INVALID
 */
export async function jsonOf<Schema extends z.ZodType>(
  url: string,
  schema: Schema,
  request: JsonRequest,
): Promise<{ readonly value: z.output<Schema>; readonly header: HttpResponse['header'] }> {
  const { text, header } = await textOf(url, request)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw dataErrors.LISTING_INVALID({ url: plainUrl(url), problem: 'it is not JSON' }, { cause })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { value: parsed.data, header }
  const [issue] = parsed.error.issues
  throw dataErrors.LISTING_INVALID({ url: plainUrl(url), problem: `${issue?.path.join('.') ?? ''} does not fit` })
}

/**
 * Asks for a text.
 *
 * @throws DATA_DOWNLOAD_DENIED, DATA_DOWNLOAD_FAILED, DATA_OFFLINE, DATA_LISTING_INVALID for one without an end
 */
export async function textOf(
  url: string,
  { authorization, timeoutMs, signal, unknown }: JsonRequest,
): Promise<{ readonly text: string; readonly header: HttpResponse['header'] }> {
  const chunks: Buffer[] = []
  const { status, header } = await reading(url, signal, async () => {
    const response = await httpGet({ url, authorization, timeoutMs, signal })
    const tooLong = () => dataErrors.LISTING_INVALID({ url: plainUrl(url), problem: 'it has no end' })
    const meter = byteMeter({ limit: maxListingBytes, tooLong, onBytes: undefined, timeoutMs })
    await pipeline(response.body, meter, async source => {
      for await (const chunk of source) chunks.push(chunk as Buffer) // a body without encoding gives buffers
    })
    return response
  })
  if (status === 404 && unknown) throw unknown()
  if (status === 401 || status === 403) throw dataErrors.DOWNLOAD_DENIED({ url: plainUrl(url), status })
  if (status !== 200) throw dataErrors.DOWNLOAD_FAILED({ url: plainUrl(url), reason: `the server answers ${status}` })
  return { text: Buffer.concat(chunks).toString('utf8'), header }
}

async function reading<Value>(
  url: string,
  signal: AbortSignal | undefined,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    if (isHintedError(cause) || signal?.aborted) throw cause
    const code = offlineCode(cause)
    if (code !== undefined) throw dataErrors.OFFLINE({ host: new URL(url).host, code }, { cause })
    throw dataErrors.DOWNLOAD_FAILED({ url: plainUrl(url), reason: 'the connection ended too early' }, { cause })
  }
}
