import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DatasetFolder } from '../dataset/dataset-folder.ts'
import { readEcg } from '../ecg-files/read-ecg.ts'
import { inspectFile } from '../inspect/inspect.ts'
import { openDataset } from '../open/open-dataset.ts'
import { verifyDataset } from '../verify/verify-dataset.ts'
import { readWfdb } from '../ecg/wfdb-file.ts'

let folder: string
let plain: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-links-'))
  plain = path.join(folder, 'plain')
  await writeTumours(plain)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const classes = ['glioma_tumor', 'meningioma_tumor', 'no_tumor', 'pituitary_tumor']

/** The layout of the Kaggle set: parts, classes, pictures; every picture differs. */
async function writeTumours(root: string): Promise<void> {
  let level = 0
  for (const part of ['Training', 'Testing'])
    for (const name of classes) {
      await mkdir(path.join(root, part, name), { recursive: true })
      const picture = sharp({
        create: { width: 8, height: 6, channels: 3, background: { r: (level += 20), g: 0, b: 0 } },
      })
      await picture.jpeg().toFile(path.join(root, part, name, `image(${level}).jpg`))
    }
}

async function copyOf(name: string): Promise<string> {
  await cp(plain, path.join(folder, name), { recursive: true })
  return path.join(folder, name)
}

async function pictures(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath, entry.name))
}

/** Moves files into a store and leaves links, as git-annex, DVC and hub caches do. */
async function linkInto(store: string, files: readonly string[]): Promise<void> {
  await mkdir(store, { recursive: true })
  for (const [i, file] of files.entries()) {
    await rename(file, path.join(store, `${i}`))
    await symlink(path.join(store, `${i}`), file)
  }
}

/** What a data manager or another system leaves in a folder; every row keeps the eight samples. */
const folders: readonly { readonly name: string; readonly change: (root: string) => Promise<void> }[] = [
  { name: 'links to every picture', change: async root => linkInto(`${root}-store`, await pictures(root)) },
  {
    name: 'links to the pictures of one class',
    change: async root => linkInto(`${root}-store`, await pictures(path.join(root, 'Training/no_tumor'))),
  },
  {
    name: 'a link to the folder of a class',
    change: async root => {
      await rename(path.join(root, 'Training/no_tumor'), `${root}-elsewhere`)
      await symlink(`${root}-elsewhere`, path.join(root, 'Training/no_tumor'))
    },
  },
  {
    name: 'a link to the whole folder',
    change: async root => {
      await rename(root, `${root}-real`)
      await symlink(`${root}-real`, root)
    },
  },
  {
    name: 'companions of a Mac',
    change: async root => {
      for (const file of await pictures(root))
        await writeFile(path.join(path.dirname(file), `._${path.basename(file)}`), new Uint8Array(4096))
    },
  },
  {
    name: 'a pipe',
    change: async root => {
      execFileSync('mkfifo', [path.join(root, 'Training/no_tumor/y.jpg')])
    },
  },
]

describe('a dataset folder', () => {
  test.for(folders)('with $name has the same samples', async ({ name, change }) => {
    const root = await copyOf(name.replaceAll(' ', '-'))
    const want = (await openDataset('brain_tumor', { root: plain })).samples
    await change(root)
    const { samples } = await openDataset('brain_tumor', { root })
    expect(samples.map(({ id, answer }) => [id, answer])).toEqual(want.map(({ id, answer }) => [id, answer]))
    expect((await verifyDataset('brain_tumor', { root })).isClean).toBe(true)
  })

  test('says that a file is missing where a link points nowhere', async () => {
    const root = await copyOf('dangling')
    await symlink(path.join(folder, 'nowhere'), path.join(root, 'Training/no_tumor/x.jpg'))
    await expect(openDataset('brain_tumor', { root })).rejects.toMatchObject({
      code: 'DATA_FILE_MISSING',
      message: expect.stringContaining('no_tumor/x.jpg'),
    })
    expect((await openDataset('brain_tumor', { root, onError: 'skip' })).tally.missing).toBe(1)
    expect((await verifyDataset('brain_tumor', { root })).isClean).toBe(false)
  })

  test('lists deep through links, each folder once, without hidden ones', async () => {
    const root = path.join(folder, 'deep')
    await mkdir(path.join(root, 'a/b'), { recursive: true })
    await mkdir(path.join(root, '.git'))
    await mkdir(path.join(root, '__MACOSX'))
    for (const file of ['a/b/1.dcm', 'a/2.DCM', '.git/3.dcm', '__MACOSX/4.dcm', 'a/._2.dcm', 'a/.DS_Store'])
      await writeFile(path.join(root, file), 'x')
    await symlink(root, path.join(root, 'a/loop'))
    await symlink(path.join(root, 'a/b'), path.join(root, 'c'))
    expect(await new DatasetFolder('x', root).listDeep('.', ['.dcm'])).toEqual(['a/2.DCM', 'a/b/1.dcm'])
  })

  test('without one sample is an error, and one class without a sample is not clean', async () => {
    const root = await copyOf('empty')
    await rm(path.join(root, 'Training/no_tumor'), { recursive: true })
    await rm(path.join(root, 'Testing/no_tumor'), { recursive: true })
    const report = await verifyDataset('brain_tumor', { root })
    expect(report).toMatchObject({ emptyLabels: ['No Tumor'], isClean: false })
    for (const file of await pictures(root)) await rm(file)
    await expect(openDataset('brain_tumor', { root })).rejects.toMatchObject({ code: 'DATA_DATASET_EMPTY' })
    await expect(verifyDataset('brain_tumor', { root })).rejects.toMatchObject({ code: 'DATA_DATASET_EMPTY' })
  })

  test('a signal file that is a device is not read', async () => {
    await writeFile(path.join(folder, 'r.hea'), 'r 1 500 10\nr.dat 16 200 16 0 0 0 0 I\n')
    await symlink('/dev/zero', path.join(folder, 'r.dat'))
    await expect(readWfdb(path.join(folder, 'r'))).rejects.toMatchObject({ code: 'WFDB_FILE_MISSING' })
  })

  test('files larger than what is read at once are refused, not opened', async () => {
    await writeFile(path.join(folder, 'huge.hea'), 'huge 1 500 10\nhuge.mat 16 200 16 0 0 0 0 I\n')
    for (const name of ['huge.mat', 'huge.dcm', 'huge.csv', 'huge.xml']) {
      await writeFile(path.join(folder, name), name.endsWith('csv') ? 'I (mV),II (mV)\n' : '<RestingECG>')
      await truncate(path.join(folder, name), 3 * 2 ** 30) // a hole: it takes no room
    }
    for (const name of ['huge.hea', 'huge.dcm', 'huge.csv', 'huge.xml'])
      await expect(readEcg(path.join(folder, name))).rejects.toMatchObject({ code: 'DATA_INPUT_IRREGULAR' })
    for (const name of ['huge.hea', 'huge.mat', 'huge.xml'])
      await expect(inspectFile(path.join(folder, name))).rejects.toMatchObject({ code: 'DATA_INPUT_IRREGULAR' })
    await expect(new DatasetFolder('x', folder).read('huge.xml')).rejects.toMatchObject({
      code: 'DATA_INPUT_IRREGULAR',
    })
  })
})
