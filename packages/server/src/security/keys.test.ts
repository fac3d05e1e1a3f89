import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createApiKey, matchingKey, scopes } from './api-keys.ts'
import { addKey, openKeyFile, readKeys, revokeKey } from './key-file.ts'
import { createRateLimit } from './rate-limit.ts'

let folder = ''
let file = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-keys-'))
  file = path.join(folder, 'deep/keys.json')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const wanted = { name: 'viewer', scopes: ['chat'], createdAt: new Date('2026-03-01') } as const

describe('keys', () => {
  test('are random, and found by the whole key alone', () => {
    const made = Array.from({ length: 20 }, () => createApiKey(wanted))
    const keys = made.map(({ kept }) => kept)
    expect(new Set(made.map(({ key }) => key)).size).toBe(20)
    for (const { key, kept } of made) {
      expect(key).toMatch(/^qoq-[0-9a-f]{8}-[\w-]{43}$/) // 256 bits
      expect(matchingKey(key, keys)).toBe(kept)
      for (const other of [key.slice(1), `${key}x`, key.toUpperCase(), '', kept.hash, kept.id])
        expect(matchingKey(other, keys)).toBe(undefined)
    }
  })

  test('are kept as hashes, in a file that its owner alone may read', async () => {
    const { key, kept } = await addKey(file, { ...wanted, requestsPerMinute: 5 })
    const text = await readFile(file, 'utf8')
    expect(text).toContain(kept.hash)
    expect(text).not.toContain(key.split('-')[2]!)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readKeys(file)).toEqual([kept])
  })

  test('that are added and revoked count for a server that runs', async () => {
    const first = await addKey(file, wanted)
    const ring = await openKeyFile(file)
    const second = await addKey(file, { ...wanted, scopes })
    expect(await ring.find(first.key)).toMatchObject({ id: first.kept.id })
    expect(await ring.find(second.key)).toMatchObject({ scopes: [...scopes] })
    await revokeKey(file, first.kept.id)
    expect(await ring.find(first.key)).toBe(undefined)
    expect(await ring.find(second.key)).toMatchObject({ id: second.kept.id })
    await expect(revokeKey(file, first.kept.id)).rejects.toMatchObject({ code: 'SERVER_KEY_ID_UNKNOWN' })
  })

  test.for(['{', '[]', '{"version": 2, "keys": []}', '{"version": 1, "keys": [{"id": "x"}]}'])(
    'a file with %s is refused',
    async text => {
      const broken = path.join(folder, 'broken.json')
      await writeFile(broken, text)
      await expect(readKeys(broken)).rejects.toMatchObject({ code: 'SERVER_KEY_FILE' })
    },
  )
})

test('a rate limit lets a minute through at once, and then what comes back', () => {
  let now = 0
  const take = createRateLimit(() => now)
  const passes = (): boolean => take('a', 60).waitSeconds === 0
  expect(Array.from({ length: 61 }, passes).filter(Boolean)).toHaveLength(60)
  expect(take('a', 60)).toEqual({ waitSeconds: 1 })
  expect(take('b', 60)).toEqual({ waitSeconds: 0 }) // another key
  now = 999
  expect(passes()).toBe(false)
  now = 1001
  expect(passes()).toBe(true)
  expect(passes()).toBe(false)
})
