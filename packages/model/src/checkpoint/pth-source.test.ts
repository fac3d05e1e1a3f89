import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPth } from './pth-source.ts'
import { readPickle } from './pickle.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pth-'))
})
afterAll(() => rm(folder, { recursive: true }))

interface Item {
  readonly name: string
  readonly data: Uint8Array
  readonly method?: number
}

/** A zip archive of stored files. */
function zipOf(items: readonly Item[], comment = ''): Buffer {
  const parts: Buffer[] = []
  const rows: Buffer[] = []
  let at = 0
  for (const { name, data, method = 0 } of items) {
    const header = Buffer.alloc(30 + name.length)
    header.writeUInt32LE(0x04034b50)
    header.writeUInt16LE(name.length, 26)
    header.write(name, 30)
    const row = Buffer.alloc(46 + name.length)
    row.writeUInt32LE(0x02014b50)
    row.writeUInt16LE(method, 10)
    row.writeUInt32LE(data.length, 20)
    row.writeUInt32LE(data.length, 24)
    row.writeUInt16LE(name.length, 28)
    row.writeUInt32LE(at, 42)
    row.write(name, 46)
    rows.push(row)
    parts.push(header, Buffer.from(data))
    at += header.length + data.length
  }
  const directory = Buffer.concat(rows)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(items.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(at, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...parts, directory, end, Buffer.from(comment)])
}

/** Pickle bytes by hand: numbers are opcodes, texts are written as BINUNICODE. */
function pickleOf(...parts: (number | string | { global: string })[]): Uint8Array {
  return Buffer.concat(
    parts.map(part => {
      if (typeof part === 'number') return Buffer.of(part)
      if (typeof part === 'object') return Buffer.from(`c${part.global.replace(' ', '\n')}\n`)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(Buffer.byteLength(part))
      return Buffer.concat([Buffer.of(0x58), length, Buffer.from(part)])
    }),
  )
}

const int = (value: number): number[] => [0x4b, value]
const tuple = (...items: (number | string | { global: string })[][]): (number | string | { global: string })[] => [
  0x28,
  ...items.flat(),
  0x74,
]

/** { name: tensor of float32 } over the storage "0". */
function tensorPickle(shape: number[], strides: number[], offset = 0, storage = 'torch FloatStorage'): Uint8Array {
  const reference = tuple(['storage'], [{ global: storage }], ['0'], ['cpu'], int(4))
  const args = tuple(
    [...reference, 0x51],
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    [0x89],
    [0x7d],
  )
  return pickleOf(0x80, 2, 0x7d, 'w', { global: 'torch._utils _rebuild_tensor_v2' }, ...args, 0x52, 0x73, 0x2e)
}

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)

async function fileOf(items: readonly Item[], comment?: string): Promise<string> {
  const path = join(folder, 'case.pth')
  await writeFile(path, zipOf(items, comment))
  return path
}

const archive = (pickle: Uint8Array, data: Uint8Array = floats(1, 2, 3, 4, 5, 6)): Item[] => [
  { name: 'a/data.pkl', data: pickle },
  { name: 'a/byteorder', data: Buffer.from('little') },
  { name: 'a/data/0', data },
]

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

function read(...parts: Parameters<typeof pickleOf>): unknown {
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
