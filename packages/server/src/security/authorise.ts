import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { serverErrors } from '../errors.ts'
import type { KeyRing, Scope } from './api-keys.ts'
import { isOwnHost, isOwnOrigin } from './host-check.ts'
import { createRateLimit, type TakeTurn } from './rate-limit.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a key must be allowed; `any` takes every key, `public` asks for none. Missing: `any`. */
    scope?: Scope | 'any' | 'public'
  }
}

/** Who may ask a server. */
export interface AccessOptions {
  /** Keys that are asked for; without them everyone who reaches the server may ask. */
  readonly keys?: KeyRing | undefined
  /** Names, beside IP addresses and localhost, by which the server may be asked. */
  readonly allowedHosts?: readonly string[]
  /** Pages of other sites that may ask, such as https://viewer.example.org. */
  readonly allowedOrigins?: readonly string[]
}

const noKeyScope = 'public'
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Checks host, origin and key of every request before its body is read. */
export function authoriseRequests(
  app: FastifyInstance,
  { keys, allowedHosts = [], allowedOrigins = [] }: AccessOptions,
): void {
  const takeTurn = createRateLimit()
  app.addHook('onRequest', async (request, reply) => {
    const { host, origin, 'sec-fetch-site': site } = request.headers
    if (!isOwnHost(host, allowedHosts)) throw serverErrors.HOST_REFUSED({})
    const isChange = !safeMethods.has(request.method)
    if (isChange && !isOwnOrigin({ origin, host, site: firstOf(site) }, allowedOrigins))
      throw serverErrors.ORIGIN_REFUSED({})
    if (isChange && isForm(request) && !isBearer(request) && request.headers['x-qoq-request'] === undefined)
      throw serverErrors.FORM_TOKEN({})
    if (keys) await requireKey({ request, reply, keys, takeTurn })
  })
}

interface KeyCheck {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly keys: KeyRing
  readonly takeTurn: TakeTurn
}

async function requireKey({ request, reply, keys, takeTurn }: KeyCheck): Promise<void> {
  const { scope = 'any' } = request.routeOptions.config
  if (scope === noKeyScope) return
  const shown = shownKey(request.headers.authorization)
  const key = shown === undefined ? undefined : await keys.find(shown)
  if (!key) {
    // A browser that opens the page asks its user; programs need no dialogue.
    const isPage = request.headers.accept?.includes('text/html') ?? false
    reply.header('www-authenticate', isPage ? 'Basic realm="QoQ-Med"' : 'Bearer realm="QoQ-Med"')
    throw shown === undefined ? serverErrors.KEY_MISSING({}) : serverErrors.KEY_UNKNOWN({})
  }
  if (scope !== 'any' && !key.scopes.includes(scope)) throw serverErrors.KEY_SCOPE({ scope })
  if (key.requestsPerMinute === undefined) return
  const { waitSeconds } = takeTurn(key.id, key.requestsPerMinute)
  if (waitSeconds === 0) return
  reply.header('retry-after', String(waitSeconds))
  throw serverErrors.RATE_LIMIT({ limit: key.requestsPerMinute })
}

/** The key of a Bearer header, or the password of a Basic one, which browsers send. */
function shownKey(authorization: string | undefined): string | undefined {
  const [, kind = '', value = ''] = /^(bearer|basic) +(\S+)$/i.exec(authorization ?? '') ?? []
  if (kind === '') return undefined
  if (kind.toLowerCase() === 'bearer') return value
  const text = Buffer.from(value, 'base64').toString('utf8')
  return text.slice(text.indexOf(':') + 1)
}

function isBearer({ headers }: FastifyRequest): boolean {
  return /^bearer /i.test(headers.authorization ?? '')
}

/** A browser sends forms to other sites without asking them first. */
function isForm({ headers }: FastifyRequest): boolean {
  return /^multipart\//i.test(headers['content-type'] ?? '')
}

function firstOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0]
}
