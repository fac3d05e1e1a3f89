import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPth } from './pth-source.ts'
import {
  archiveOf as archive,
  pickleOf,
  tensorPickle,
  tuple,
  zipOf,
  type PicklePart,
  type ZipItem,
} from './pth.testing.ts'
import { readPickle } from './pickle.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pth-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function fileOf(items: readonly ZipItem[], comment?: string): Promise<string> {
  const path = join(folder, 'case.pth')
  await writeFile(path, zipOf(items, comment))
  return path
}

describe('openPth', () => {
  test.for([
    { name: 'a plain tensor', shape: [2, 3], strides: [3, 1], offset: 0, want: [1, 2, 3, 4, 5, 6] },
    { name: 'a transposed tensor', shape: [3, 2], strides: [1, 3], offset: 0, want: [1, 4, 2, 5, 3, 6] },
    { name: 'a part of a storage', shape: [2], strides: [2], offset: 1, want: [2, 4] },
    { name: 'a scalar', shape: [], strides: [], offset: 5, want: [6] },
    { name: 'an empty tensor', shape: [0, 3], strides: [3, 1], offset: 0, want: [] },
  ])('reads $name', async ({ shape, strides, offset, want }) => {
    const source = await openPth(await fileOf(archive(tensorPickle(shape, strides, offset)), 'a comment'))
    expect(source.tensors.get('w')!.shape).toEqual(shape)
    expect([...(await source.readFloat32('w'))]).toEqual(want)
    await source.close()
  })

  test('does not read integers as numbers', async () => {
    const source = await openPth(await fileOf(archive(tensorPickle([2], [1], 0, 'torch IntStorage'))))
    await expect(source.readFloat32('w')).rejects.toThrow(expect.objectContaining({ code: 'MODEL_DTYPE_UNSUPPORTED' }))
    await source.close()
  })

  const plain = tensorPickle([2, 3], [3, 1])
  test.for([
    {
      name: 'a function that is no part of a checkpoint',
      items: archive(pickleOf(0x80, 2, { global: 'os system' }, ...tuple(['rm -rf /']), 0x52, 0x2e)),
    },
    {
      name: 'the same through STACK_GLOBAL',
      items: archive(pickleOf('builtins', 'eval', 0x93, ...tuple(['1']), 0x52, 0x2e)),
    },
    { name: 'an operation it does not know', items: archive(pickleOf(0x80, 2, 0x81, 0x2e)) },
    { name: 'a pickle that ends early', items: archive(plain.subarray(0, -3)) },
    { name: 'a text longer than the pickle', items: archive(Buffer.of(0x58, 0xff, 0xff, 0xff, 0x7f, 0x2e)) },
    { name: 'a memo that was never stored', items: archive(pickleOf(0x68, 7, 0x2e)) },
    { name: 'values that are not there', items: archive(pickleOf(0x86, 0x2e)) },
    { name: 'a tensor beyond its storage', items: archive(tensorPickle([3, 3], [3, 1])) },
    { name: 'a tensor that strides of 0 make huge', items: archive(tensorPickle([255, 255, 255], [0, 0, 0])) },
    { name: 'strides of another rank', items: archive(tensorPickle([2, 3], [1])) },
    {
      name: 'a storage of an unknown class',
      items: archive(tensorPickle([1], [1], 0, 'torch.storage UntypedStorage')),
    },
    { name: 'a storage that is missing', items: archive(plain).slice(0, 2) },
    { name: 'no pickle', items: [{ name: 'a/readme', data: Buffer.from('') }] },
    {
      name: 'big-endian data',
      items: [...archive(plain).slice(0, 1), { name: 'a/byteorder', data: Buffer.from('big') }, archive(plain)[2]!],
    },
    { name: 'a compressed entry', items: [{ ...archive(plain)[0]!, method: 8 }, archive(plain)[2]!] },
    { name: 'an entry twice', items: [...archive(plain), archive(plain)[2]!] },
  ])('refuses $name', async ({ items }) => {
    await expect(openPth(await fileOf(items))).rejects.toThrow(expect.objectContaining({ code: 'MODEL_PTH_INVALID' }))
  })

  test('refuses dicts that are nested without an end', async () => {
    // A dict that holds itself.
    const pickle = pickleOf(0x7d, 0x71, 0, 'self', 0x68, 0, 0x73, 0x2e)
    await expect(openPth(await fileOf(archive(pickle)))).rejects.toThrow(
      expect.objectContaining({ code: 'MODEL_PTH_INVALID' }),
    )
  })

  test('refuses entries that overlap', async () => {
    const zip = zipOf(archive(plain))
    // The directory's third row points at the first entry.
    const third = zip.lastIndexOf(Buffer.from('PK\u0001\u0002'))
    zip.writeUInt32LE(0, third + 42)
    const path = join(folder, 'overlap.pth')
    await writeFile(path, zip)
    await expect(openPth(path)).rejects.toThrow(expect.objectContaining({ code: 'MODEL_PTH_INVALID' }))
  })
})

function read(...parts: readonly PicklePart[]): unknown {
  return readPickle(
    pickleOf(...parts),
    () => false,
    problem => new Error(problem),
  )
}

describe('readPickle', () => {
  test.for([
    { name: 'small numbers', parts: [0x4b, 200, 0x2e], want: 200 },
    { name: 'negative numbers', parts: [0x4a, 0xfe, 0xff, 0xff, 0xff, 0x2e], want: -2 },
    { name: 'long numbers', parts: [0x8a, 2, 0x00, 0x80, 0x2e], want: -32768 },
    { name: 'fractions', parts: [0x47, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0x2e], want: 1.5 },
    { name: 'texts', parts: ['é', 0x2e], want: 'é' },
    { name: 'lists', parts: [0x5d, 0x28, 0x4b, 1, 0x4e, 0x65, 0x2e], want: [1, null] },
  ])('reads $name', ({ parts, want }) => {
    expect(read(...parts)).toEqual(want)
  })
})
