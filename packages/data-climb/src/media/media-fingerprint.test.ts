import { appendFile, mkdir, mkdtemp, readFile, rm, unlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mediaFingerprint, type FingerprintMode } from './media-fingerprint.ts'
import { encodeWfdb } from '../wfdb/write.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'qoq-fingerprint-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const time = new Date(1_700_000_000_000)

async function written(name: string) {
  const folder = path.join(root, name)
  const signals = [{ name: 'I', gain: 1000, digital: Int16Array.of(1, 2, 3) }]
  const { hea, dat } = encodeWfdb({ record: 'r', samplingRateHz: 500, signals })
  await mkdir(folder)
  for (const [file, content] of [
    ['r.hea', hea],
    ['r.dat', dat],
    ['x.png', 'pixels'],
  ] as const) {
    await writeFile(path.join(folder, file), content)
    await utimes(path.join(folder, file), time, time)
  }
  const files = ['r.hea', 'x.png'].map(file => path.join(folder, file))
  return { folder, fingerprint: (mode: FingerprintMode) => mediaFingerprint([{ id: 'a/1', files }], { mode }) }
}

const changes: readonly {
  readonly name: string
  readonly change: (folder: string) => Promise<void>
  readonly seenBy: readonly FingerprintMode[]
}[] = [
  { name: 'nothing', change: async () => undefined, seenBy: [] },
  {
    name: 'another time',
    change: folder => utimes(path.join(folder, 'x.png'), new Date(), new Date()),
    seenBy: ['stat'],
  },
  {
    name: 'a longer signal file',
    change: folder => appendFile(path.join(folder, 'r.dat'), '..'),
    seenBy: ['stat', 'hash'],
  },
  { name: 'a picture that is gone', change: folder => unlink(path.join(folder, 'x.png')), seenBy: ['stat', 'hash'] },
  {
    name: 'other pixels of the same size and time',
    change: async folder => {
      const file = path.join(folder, 'x.png')
      const text = await readFile(file, 'utf8')
      await writeFile(file, text.replace('p', 'q'))
      await utimes(file, time, time)
    },
    seenBy: ['hash'],
  },
]

describe('mediaFingerprint', () => {
  test.for(changes)('sees $name as it should', async ({ name, change, seenBy }) => {
    const { folder, fingerprint } = await written(name.replaceAll(' ', '-'))
    const before = { stat: await fingerprint('stat'), hash: await fingerprint('hash') }
    await change(folder)
    for (const mode of ['stat', 'hash'] as const)
      expect((await fingerprint(mode)) === before[mode]).toBe(!seenBy.includes(mode))
  })

  test('is the same in another folder, and differs by sample', async () => {
    const [a, b] = [await written('here'), await written('there')]
    expect(await a.fingerprint('stat')).toBe(await b.fingerprint('stat'))
    expect(await mediaFingerprint([{ id: 'a/2', files: [] }])).not.toBe(
      await mediaFingerprint([{ id: 'a/1', files: [] }]),
    )
  })
})
