import path from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'

const runs = path.join(import.meta.dirname, 'nothing')
const app = createServer({ policy: fakePolicy(), runs })
const routes: string[] = []
app.addHook('onRoute', ({ method, url, schema }) => {
  const isBodied = schema?.body !== undefined
  for (const one of [method].flat())
    if (one === 'GET' || one === 'POST')
      routes.push(`${one} ${url.replace('*', '{name}').replaceAll(/:(\w+)/g, '{$1}')}${isBodied ? ' body' : ''}`)
})
let described: Record<string, unknown> & {
  paths: Record<string, Record<string, { requestBody?: object; security?: unknown[] }>>
}

beforeAll(async () => {
  described = (await app.inject('/openapi.json')).json()
})
afterAll(async () => app.close())

describe('GET /openapi.json', () => {
  test('is a document that a validator of OpenAPI takes', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(described))
    expect(errors).toBeUndefined()
    expect(valid).toBe(true)
    expect(described).toMatchObject({
      openapi: '3.1.0',
      info: { description: 'Research use only, not a medical device.' },
    })
  })

  test('has every route but the page, with its body', () => {
    const found = Object.entries(described.paths).flatMap(([url, operations]) =>
      Object.entries(operations).map(
        ([method, { requestBody }]) => `${method.toUpperCase()} ${url}${requestBody ? ' body' : ''}`,
      ),
    )
    const documented = routes.filter(route => !/ \/(assets\/.*)?$/.test(route))
    expect(documented.length).toBeGreaterThan(15)
    expect(found.toSorted()).toEqual(documented.toSorted())
  })

  test('asks for no key for health alone', () => {
    const free = Object.entries(described.paths).filter(([, { get }]) => get?.security?.length === 0)
    expect(free.map(([url]) => url)).toEqual(['/health/live', '/health/ready'])
  })

  test('has no reference that leads out of it', () => {
    const references = [...JSON.stringify(described).matchAll(/"\$ref":"([^"]*)"/g)].map(([, target]) => target)
    expect(new Set(references)).toEqual(new Set(['#/components/responses/Error']))
  })
})
