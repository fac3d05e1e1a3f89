import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tarGzOf, zipOf, type TestEntry } from './archive.testing.ts'
import { unpack } from './unpack.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-unpack-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const kinds = [
  { archive: 'zip', make: zipOf },
  { archive: 'tar.gz', make: tarGzOf },
] as const

describe.for(kinds)('unpack of a $archive', ({ archive, make }) => {
  let count = 0
  async function unpacked(entries: readonly TestEntry[], options: { strip?: number; maxBytes?: number } = {}) {
    const into = path.join(folder, `${archive}-${count++}`, 'into')
    await mkdir(into, { recursive: true })
    const file = `${into}.${archive}`
    await writeFile(file, make(entries))
    return { into, written: await unpack(file, { archive, into, ...options }) }
  }

  test('writes every file, without the leading folder where asked', async () => {
    const entries = [
      { path: 'set-1/a.csv', data: 'a,b' },
      { path: 'set-1/deep/b c.txt', data: 'x'.repeat(2000) },
    ]
    const { into, written } = await unpacked(entries, { strip: 1 })
    expect(written).toEqual(['a.csv', 'deep/b c.txt'])
    expect(await readFile(path.join(into, 'deep/b c.txt'), 'utf8')).toBe('x'.repeat(2000))
    expect((await readdir(into, { recursive: true })).filter(name => name.endsWith('.part'))).toEqual([])
  })

  test.for([
    { name: 'an entry above the folder', entries: [{ path: '../evil.txt', data: 'x' }] },
    { name: 'an entry above the folder on the way', entries: [{ path: 'a/../../evil.txt', data: 'x' }] },
    { name: 'an absolute entry', entries: [{ path: '/tmp/evil.txt', data: 'x' }] },
    { name: 'a drive', entries: [{ path: 'c:/evil.txt', data: 'x' }] },
    { name: 'a backslash', entries: [{ path: '..\\evil.txt', data: 'x' }] },
    { name: 'a link', entries: [{ path: 'link', link: '/etc/passwd' }] },
    {
      name: 'a link that a later entry goes through',
      entries: [
        { path: 'd', link: '..' },
        { path: 'd/evil.txt', data: 'x' },
      ],
    },
  ])('refuses $name', async ({ entries }) => {
    const before = await readdir(folder)
    await expect(unpacked(entries)).rejects.toMatchObject({ code: expect.stringMatching(/^DATA_ARCHIVE_/) })
    const after = await readdir(folder, { recursive: true })
    expect(after.filter(name => name.includes('evil') || name.endsWith('link'))).toEqual([])
    expect((await readdir(folder)).length).toBe(before.length + 1)
  })

  test('refuses more bytes than it may hold', async () => {
    const entries = [{ path: 'zeros.txt', data: '0'.repeat(50_000) }]
    await expect(unpacked(entries, { maxBytes: 10_000 })).rejects.toMatchObject({ code: 'DATA_ARCHIVE_UNSAFE' })
  })

  test('refuses a damaged archive', async () => {
    const file = path.join(folder, `damaged.${archive}`)
    const bytes = make([{ path: 'a.txt', data: 'abc'.repeat(1000) }])
    await writeFile(file, bytes.subarray(0, bytes.length - 30))
    const into = path.join(folder, `damaged-${archive}`)
    await expect(unpack(file, { archive, into })).rejects.toMatchObject({ code: 'DATA_ARCHIVE_INVALID' })
  })
})
