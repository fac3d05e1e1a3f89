import { execFileSync } from 'node:child_process'
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readInputFile } from './input-file.ts'
import { inspectFile } from '../inspect/inspect.ts'
import { presentMedia } from '../media/present-media.ts'
import { readVolume } from '../volume/volume-file.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-input-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const header = (dataFile: string) =>
  `ObjectType = Image\nNDims = 3\nDimSize = 2 2 1\nElementType = MET_UCHAR\nElementDataFile = ${dataFile}\n`

describe('files that are no ordinary ones', () => {
  test.for([
    { name: 'inspectFile', read: inspectFile, ofFolder: 'DATA_SERIES_INVALID' },
    { name: 'presentMedia', read: presentMedia, ofFolder: 'DATA_SERIES_INVALID' },
    { name: 'readVolume', read: readVolume, ofFolder: 'DATA_INPUT_IRREGULAR' },
  ])('$name opens no device, no pipe, and no folder but of a series', async ({ name, read, ofFolder }) => {
    const pipe = path.join(folder, `pipe-${name}.mhd`)
    execFileSync('mkfifo', [pipe])
    for (const file of ['/dev/zero', pipe])
      await expect(read(file)).rejects.toMatchObject({ code: 'DATA_INPUT_IRREGULAR' })
    await expect(read(folder)).rejects.toMatchObject({ code: ofFolder })
  })

  test('the data file of a header may be a link to a file of its folder, and to nothing else', async () => {
    const outside = path.join(folder, 'outside')
    const inside = path.join(folder, 'inside')
    await mkdir(outside)
    await mkdir(inside)
    await writeFile(path.join(outside, 'other.raw'), '\u0001\u0002\u0003\u0004')
    await writeFile(path.join(inside, 'own.raw'), '\u0001\u0002\u0003\u0004')
    for (const [link, target] of [
      ['device.raw', '/dev/zero'],
      ['away.raw', path.join(outside, 'other.raw')],
      ['linked.raw', path.join(inside, 'own.raw')],
    ] as const) {
      await symlink(target, path.join(inside, link))
      await writeFile(path.join(inside, `${link}.mhd`), header(link))
    }
    for (const link of ['device.raw', 'away.raw'])
      await expect(readVolume(path.join(inside, `${link}.mhd`))).rejects.toMatchObject({ code: 'DATA_INPUT_IRREGULAR' })
    expect([...(await readVolume(path.join(inside, 'linked.raw.mhd'))).voxels]).toEqual([1, 2, 3, 4])
  })

  test('a folder of links to a volume elsewhere is read', async () => {
    const store = path.join(folder, 'store')
    const view = path.join(folder, 'view')
    await mkdir(store)
    await mkdir(view)
    await writeFile(path.join(store, 'a.raw'), '\u0001\u0002\u0003\u0004')
    await writeFile(path.join(store, 'a.mhd'), header('a.raw'))
    for (const name of ['a.raw', 'a.mhd']) await symlink(path.join(store, name), path.join(view, name))
    expect([...(await readVolume(path.join(view, 'a.mhd'))).voxels]).toEqual([1, 2, 3, 4])
  })

  test('reads the start of a file alone', async () => {
    const file = path.join(folder, 'long')
    await writeFile(file, 'abcdef')
    expect(new TextDecoder().decode(await readInputFile(file, { first: 3 }))).toBe('abc')
    expect(new TextDecoder().decode(await readInputFile(file, { first: 99 }))).toBe('abcdef')
    await expect(readInputFile(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'DATA_INPUT_MISSING' })
  })
})
