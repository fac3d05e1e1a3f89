import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

/** What a key may do. */
export const scopes = ['chat', 'diagnose', 'rewards', 'metrics'] as const

/** One of the things that a key may do. */
export type Scope = (typeof scopes)[number]

/** A key as it is kept: its hash, never the key. */
export const ApiKey = z.strictObject({
  /** Names the key in lists and for `revoke`; it is a part of the key. */
  id: z.string().regex(/^[0-9a-f]{8}$/),
  name: z.string(),
  /** SHA-256 of the key in hex. Keys hold 256 random bits, so that a fast hash is enough. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  scopes: z.array(z.enum(scopes)).min(1),
  /** Requests that the key may send in a minute; missing where there is no limit. */
  requestsPerMinute: z.number().positive().optional(),
  createdAt: z.iso.datetime(),
})

/** A key as it is kept. */
export type ApiKey = z.infer<typeof ApiKey>

/** Tells which key a request shows. */
export interface KeyRing {
  find(shown: string): Promise<ApiKey | undefined>
}

/** What a new key may do. */
export interface NewKey {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly requestsPerMinute?: number | undefined
  readonly createdAt: Date
}

const secretBytes = 32

/** Makes a key. The key itself is returned once and kept nowhere. */
export function createApiKey({ name, scopes: allowed, requestsPerMinute, createdAt }: NewKey): {
  readonly key: string
  readonly kept: ApiKey
} {
  const id = randomBytes(4).toString('hex')
  const key = `qoq-${id}-${randomBytes(secretBytes).toString('base64url')}`
  const limit = requestsPerMinute === undefined ? {} : { requestsPerMinute }
  const kept = { id, name, hash: hashOf(key).toString('hex'), scopes: [...allowed], createdAt: createdAt.toISOString() }
  return { key, kept: { ...kept, ...limit } }
}

/** Finds a key among those that are kept; every one is compared, in a time that does not depend on where they differ. */
export function matchingKey(shown: string, keys: readonly ApiKey[]): ApiKey | undefined {
  const hash = hashOf(shown)
  let found: ApiKey | undefined
  for (const key of keys) if (timingSafeEqual(hash, Buffer.from(key.hash, 'hex'))) found = key
  return found
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
