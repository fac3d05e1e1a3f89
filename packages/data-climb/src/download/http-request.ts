import type { Readable } from 'node:stream'
import { dataErrors } from '../errors.ts'
import { optionalPackage } from '../files/optional-package.ts'

/** A GET request. */
export interface HttpRequest {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent to the origin of `url` alone, never to where it redirects. */
  readonly authorization?: string | undefined
  /** Milliseconds without an answer, or without further bytes, after which the connection is given up. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** An answer; its body must be read or destroyed. */
export interface HttpResponse {
  readonly status: number
  readonly header: (name: string) => string | undefined
  readonly body: Readable
}

const maxRedirects = 5
const redirects = new Set([301, 302, 303, 307, 308])

/**
 * Sends a request and follows redirects. Credentials stay with the origin they are for, and a redirect from https to http
 * is refused.
 *
 * @throws DATA_DOWNLOAD_FAILED after five redirects or a forbidden one, DATA_PACKAGE_MISSING, and the errors of undici
 */
export async function httpGet({ url, headers, authorization, timeoutMs, signal }: HttpRequest): Promise<HttpResponse> {
  const { request } = await optionalPackage('undici', 'Downloading', () => import('undici'))
  const home = new URL(url)
  let at = home
  for (let i = 0; i <= maxRedirects; i++) {
    const isHome = at.origin === home.origin
    const {
      statusCode,
      headers: answered,
      body,
    } = await request(at, {
      headers: { ...headers, ...(isHome && authorization !== undefined && { authorization }) },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      ...(signal && { signal }),
    })
    const header = (name: string): string | undefined => [answered[name]].flat()[0]
    const location = header('location')
    if (!redirects.has(statusCode) || location === undefined) return { status: statusCode, header, body }
    body.on('error', () => undefined).destroy()
    const next = URL.parse(location, at.href)
    if (!next) throw dataErrors.DOWNLOAD_FAILED({ url: plainUrl(url), reason: 'it redirects to what is no address' })
    const isSafe = next.protocol === 'https:' || (next.protocol === 'http:' && at.protocol === 'http:')
    if (!isSafe)
      throw dataErrors.DOWNLOAD_FAILED({ url: plainUrl(url), reason: 'it redirects to a place that is not https' })
    at = next
  }
  throw dataErrors.DOWNLOAD_FAILED({ url: plainUrl(url), reason: `it redirects more than ${maxRedirects} times` })
}

/** A URL without its query and without a user, which may hold signatures and secrets. */
export function plainUrl(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
