import { afterAll, describe, expect, test } from 'vitest'
import { createServer } from '../create-server.ts'
import { findingPolicy } from '../finding-policy.testing.ts'
import { createApiKey } from '../security/api-keys.ts'
import { bodyExamples } from './examples.ts'
import { schemaFields } from './schema-fields.ts'

const app = createServer({ policy: findingPolicy('Pneumonia', size => size) })
afterAll(async () => app.close())

describe('GET /docs', () => {
  test('has every route of the document, its fields, and a command', async () => {
    const { body, headers } = await app.inject('/docs')
    const { paths } = (await app.inject('/openapi.json')).json<{ paths: Record<string, object> }>()
    const routes = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map(method => `>${method.toUpperCase()} ${path}</h2>`),
    )
    expect(routes.length).toBeGreaterThan(15)
    for (const route of routes) expect(body).toContain(route)
    expect(body).toContain('messages[].content[].image_url.url</td><td>string</td><td>yes')
    expect(body).toContain("-F 'file=@chest.dcm'")
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:|script/)
  })

  test('a Host that is markup is refused, not shown', async () => {
    const { statusCode, body } = await app.inject({ url: '/docs', headers: { host: '"><b>x' } })
    expect([statusCode, body.includes('<b>')]).toEqual([403, false])
  })

  test('asks for a key where the page does', async () => {
    const { kept, key } = createApiKey({ name: 'viewer', scopes: ['chat'], createdAt: new Date() })
    const keyed = createServer({ keys: { find: async shown => (shown === key ? kept : undefined) } })
    const headers = { authorization: `Bearer ${key}` }
    for (const url of ['/docs', '/openapi.json']) {
      expect((await keyed.inject(url)).statusCode, `at ${url}`).toBe(401)
      expect((await keyed.inject({ url, headers })).statusCode, `at ${url}`).toBe(200)
    }
    await keyed.close()
  })
})

describe('an example of a body', () => {
  // A DICOM file is too long for an example, and a policy of a test scores nothing.
  const asIs = Object.entries(bodyExamples).filter(([route]) => !/\/sr$|\/score$/.test(route))
  test.for(asIs)('%s is answered as it stands', async ([route, payload]) => {
    const [method, url] = route.split(' ') as ['POST', string]
    const { statusCode, body } = await app.inject({ method, url, payload })
    expect([statusCode, body]).toEqual([200, expect.any(String)])
  })
})

const part = (type: string, other: object): object => ({
  type: 'object',
  properties: { type: { const: type }, ...other },
  required: ['type'],
})

describe('schemaFields', () => {
  test('names every field with what it may hold', () => {
    const rows = schemaFields({
      type: 'object',
      required: ['n'],
      properties: {
        n: { type: 'integer', minimum: 1, maximum: 9_007_199_254_740_991 },
        p: { anyOf: [{ type: 'number', exclusiveMinimum: 0, maximum: 1 }, { type: 'null' }] },
        mode: { enum: ['a', 'b'] },
        parts: { type: 'array', items: { oneOf: [part('x', { a: { type: 'string' } }), part('y', {})] } },
      },
    })
    expect(rows.map(({ path, type, isRequired }) => `${path}: ${type}${isRequired ? ', required' : ''}`)).toEqual([
      'n: integer from 1, required',
      'p: number above 0 to 1 or null',
      'mode: "a" or "b"',
      'parts: array of object',
      'parts[].type: "x" or "y", required',
      'parts[].a: string',
    ])
  })

  test('ends where a schema nests without end', () => {
    const endless: Record<string, unknown> = { type: 'object' }
    endless['properties'] = { again: endless }
    expect(schemaFields(endless).length).toBeLessThan(20)
  })
})
