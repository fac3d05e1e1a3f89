import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeWhole } from './write-whole.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qoq-whole-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('writeWhole', () => {
  test.for([
    { name: 'a text', content: 'ä\n', bytes: [0xc3, 0xa4, 10] },
    { name: 'bytes', content: Uint8Array.of(0, 255), bytes: [0, 255] },
    { name: 'what a function writes', content: (partial: string) => writeFile(partial, 'x'), bytes: [120] },
  ])('writes $name into a folder that it makes, and leaves nothing else', async ({ content, bytes }) => {
    const file = join(folder, 'a/b/file')
    await writeWhole(file, content)
    await writeWhole(file, content)
    expect([...(await readFile(file))]).toEqual(bytes)
    expect(await readdir(join(folder, 'a/b'))).toEqual(['file'])
  })

  test('leaves the old file and nothing beside it where the content fails', async () => {
    const file = join(folder, 'file')
    await writeWhole(file, 'old')
    const failing = writeWhole(file, async partial => {
      await writeFile(partial, 'half')
      throw new Error('no more')
    })
    await expect(failing).rejects.toThrow('no more')
    expect(await readFile(file, 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['file'])
  })

  test('does not replace a folder', async () => {
    await writeWhole(join(folder, 'taken/file'), 'x')
    await expect(writeWhole(join(folder, 'taken'), 'y')).rejects.toThrow(/EISDIR|EEXIST|EPERM|ENOTEMPTY/)
    expect(await readdir(folder)).toEqual(['taken'])
  })

  test('many writers of one file leave the whole text of one of them', async () => {
    const file = join(folder, 'file')
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(50_000))
    await Promise.all(texts.map(text => writeWhole(file, text)))
    expect(texts).toContain(await readFile(file, 'utf8'))
    expect(await readdir(folder)).toEqual(['file'])
  })

  test('a program that is killed leaves a whole file', async () => {
    const file = join(folder, 'file')
    const script = join(folder, 'write.mts')
    const module = fileURLToPath(new URL('write-whole.ts', import.meta.url))
    await writeFile(
      script,
      `import { writeWhole } from ${JSON.stringify(module)}
       for (let i = 0; ; i++) {
         await writeWhole(${JSON.stringify(file)}, String(i % 10).repeat(200_000))
         if (i === 3) process.stdout.write('begun')
       }`,
    )
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), 30))
    await new Promise(resolve => child.once('close', resolve))
    expect(await readFile(file, 'utf8')).toMatch(/^(\d)\1{199999}$/)
  })
})
