import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { createServer, type ServerOptions } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'
import { listen } from '../listen.ts'
import { createApiKey, matchingKey, scopes, type ApiKey, type KeyRing, type Scope } from './api-keys.ts'

const made = (allowed: readonly Scope[], requestsPerMinute?: number) =>
  createApiKey({ name: 'x', scopes: allowed, requestsPerMinute, createdAt: new Date(0) })
const ringOf = (...keys: readonly ApiKey[]): KeyRing => ({ find: async shown => matchingKey(shown, keys) })
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

interface RouteRow {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly scope: string | undefined
}

/** Every route of a server, as Fastify registers them. */
async function routesOf(options: ServerOptions): Promise<RouteRow[]> {
  const app = createServer(options)
  const rows: RouteRow[] = []
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const one of ['GET', 'POST'] as const)
      if ([method].flat().includes(one)) rows.push({ method: one, url: url.replace('*', 'fake'), scope: config?.scope })
  })
  await app.ready()
  await app.close()
  return rows
}

/** A folder without runs. */
const runs = path.join(import.meta.dirname, 'nothing')
const routes = await routesOf({ policy: fakePolicy(), runs })
const guarded = routes.filter(({ scope }) => scope !== 'public')
const all = made(scopes)

/** Servers by what they know of keys: making one takes longer than asking it. */
const servers = new Map<KeyRing, ReturnType<typeof createServer>>()
/** A key without the name of its scheme. */
const garbled = { authorization: all.key }
const allRing = ringOf(all.kept)
const withoutRings = new Map<string, { key: string; ring: KeyRing }>(
  scopes.map(scope => {
    const { key, kept } = made(scopes.filter(other => other !== scope))
    return [scope, { key, ring: ringOf(kept) }] as const
  }),
)

async function ask({ method, url }: Pick<RouteRow, 'method' | 'url'>, headers: object, keys: KeyRing) {
  const app = servers.get(keys) ?? createServer({ policy: fakePolicy(), runs, keys })
  servers.set(keys, app)
  const payload = method === 'POST' ? { payload: {} } : {}
  return app.inject({ method, url, headers: { ...headers }, ...payload })
}

describe('a server with keys', () => {
  test('says of every route what a key needs, and asks for none for health alone', () => {
    expect(routes.length).toBeGreaterThan(15)
    expect(routes.filter(({ scope }) => scope === undefined)).toEqual([])
    expect(routes.filter(({ scope }) => scope === 'public').map(({ url }) => url)).toEqual([
      '/health/live',
      '/health/ready',
    ])
  })

  test.for(guarded)('answers $method $url with 401 without a key, or with an unknown one', async route => {
    for (const headers of [{}, bearer('qoq-00000000-x'), { authorization: 'Basic eDp5' }, garbled]) {
      const response = await ask(route, headers, allRing)
      expect(response.statusCode).toBe(401)
      expect(response.json().error.code).toBe(
        'authorization' in headers && headers !== garbled ? 'SERVER_KEY_UNKNOWN' : 'SERVER_KEY_MISSING',
      )
      expect(response.headers['www-authenticate']).toContain('Bearer')
    }
  })

  test.for(guarded)('lets a key pass $method $url, and refuses one without its scope', async route => {
    const basic = { authorization: `Basic ${Buffer.from(`any:${all.key}`).toString('base64')}` }
    for (const headers of [bearer(all.key), basic])
      expect([401, 403]).not.toContain((await ask(route, headers, ringOf(all.kept))).statusCode)
    if (route.scope === 'any') return
    const others = withoutRings.get(route.scope ?? '')!
    const response = await ask(route, bearer(others.key), others.ring)
    expect([response.statusCode, response.json().error.code]).toEqual([403, 'SERVER_KEY_SCOPE'])
  })

  test.for(routes.filter(({ scope }) => scope === 'public'))('answers $url without a key', async route => {
    expect((await ask(route, {}, ringOf(all.kept))).statusCode).toBe(200)
  })

  test('does not say which routes there are', async () => {
    expect((await ask({ method: 'GET', url: '/v1/nothing' }, {}, ringOf(all.kept))).statusCode).toBe(401)
    expect((await ask({ method: 'GET', url: '/v1/nothing' }, bearer(all.key), ringOf(all.kept))).statusCode).toBe(404)
  })

  test('asks a browser that opens a page', async () => {
    const response = await ask({ method: 'GET', url: '/v1/models' }, { accept: 'text/html' }, allRing)
    expect(response.headers['www-authenticate']).toContain('Basic')
  })

  test('limits the rate of a key', async () => {
    const slow = made(scopes, 2)
    const app = createServer({ policy: fakePolicy(), keys: ringOf(slow.kept, all.kept) })
    const status = async (key: string) => app.inject({ url: '/v1/models', headers: bearer(key) })
    expect([(await status(slow.key)).statusCode, (await status(slow.key)).statusCode]).toEqual([200, 200])
    const refused = await status(slow.key)
    expect([refused.statusCode, refused.json().error.code]).toEqual([429, 'SERVER_RATE_LIMIT'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await status(all.key)).statusCode).toBe(200)
    await app.close()
  })
})

describe('listening beyond this machine', () => {
  test.for(['0.0.0.0', '::', '192.168.1.1', 'example.invalid'])('on %s needs keys', async host => {
    const app = createServer({ policy: fakePolicy() })
    await expect(listen(app, { host, port: 0 })).rejects.toMatchObject({ code: 'SERVER_KEY_REQUIRED' })
    await app.close()
  })

  test('is allowed with keys', async () => {
    const app = createServer({ policy: fakePolicy(), keys: ringOf(all.kept) })
    expect(await listen(app, { host: '0.0.0.0', port: 0 })).toMatch(/^http:\/\//)
    await app.close()
  })
})

const open = createServer({ policy: fakePolicy() })
const named = (host: string, app = open) => app.inject({ url: '/health/live', headers: { host } })

describe('the name that a request asks for (DNS rebinding)', () => {
  test.for([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    'qoq.example.org.evil.example',
    'a b',
    '[::1',
  ])('%j is refused', async host => {
    const response = await named(host)
    expect([response.statusCode, response.json().error.code]).toEqual([403, 'SERVER_HOST_REFUSED'])
  })

  test.for(['localhost', 'localhost:8080', '127.0.0.1:80', '[::1]:8080', '192.168.3.4', 'app.localhost:1'])(
    '%s is this server',
    async host => {
      expect((await named(host)).statusCode).toBe(200)
    },
  )

  test('names that are allowed are', async () => {
    expect(
      (await named('qoq.example.org:443', createServer({ policy: fakePolicy(), allowedHosts: ['qoq.example.org'] })))
        .statusCode,
    ).toBe(200)
  })
})

const post = (headers: Record<string, string>, app = open) =>
  app.inject({
    method: 'POST',
    url: '/v1/chat/completions',
    payload: { messages: [{ role: 'user', content: 'x' }] },
    headers: { host: 'localhost:8080', ...headers },
  })

describe('pages of other sites', () => {
  test.for<Record<string, string>>([
    { origin: 'https://evil.example' },
    { origin: 'http://localhost:9999' },
    { origin: 'http://localhost:8080.evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('may not ask: %j', async headers => {
    const response = await post(headers)
    expect([response.statusCode, response.json().error.code]).toEqual([403, 'SERVER_ORIGIN_REFUSED'])
    expect(response.headers['access-control-allow-origin']).toBe(undefined)
  })

  test.for<Record<string, string>>([
    {},
    { origin: 'http://localhost:8080' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
  ])('programs and the own page may: %j', async headers => {
    expect((await post(headers)).statusCode).toBe(200)
  })

  test('a site that is allowed may, and is told so', async () => {
    const response = await post(
      { origin: 'https://viewer.example' },
      createServer({ policy: fakePolicy(), allowedOrigins: ['https://viewer.example'] }),
    )
    expect(response.statusCode).toBe(200)
    expect(response.headers['access-control-allow-origin']).toBe('https://viewer.example')
  })
})
