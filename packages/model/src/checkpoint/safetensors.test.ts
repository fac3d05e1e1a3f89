import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSafetensors } from './safetensors-reader.ts'
import { writeSafetensors, type TensorToWrite } from './safetensors-writer.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'))
})
afterAll(() => rm(folder, { recursive: true }))

const fixture = new URL('../../fixtures/qwen2_text_sharded_bf16/model-00001-of-00002.safetensors', import.meta.url)

/** A file with a given header and amount of data. */
async function fileOf(header: string | Uint8Array, dataBytes: number, claimed?: number): Promise<string> {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const bytes = Buffer.alloc(8 + json.length + dataBytes)
  bytes.writeBigUInt64LE(BigInt(claimed ?? json.length))
  bytes.set(json, 8)
  const path = join(folder, 'case.safetensors')
  await writeFile(path, bytes)
  return path
}

const entry = (shape: unknown, offsets: unknown, dtype = 'F32'): object => ({ dtype, shape, data_offsets: offsets })

describe('writeSafetensors', () => {
  test('gives back what it wrote, in all element types', async () => {
    const path = join(folder, 'types.safetensors')
    const data = Float32Array.of(1, -2.5, 0.1)
    await writeSafetensors(path, [
      { name: 'full', shape: [3], data },
      { name: 'half', shape: [3, 1], data, dtype: 'F16' },
      { name: 'brain', shape: [1, 3], data, dtype: 'BF16' },
      { name: 'ids', shape: [2], data: Int32Array.of(7, -7) },
      { name: 'wide', shape: [1], data: BigInt64Array.of(-5n) },
      { name: 'bytes', shape: [2], data: Uint8Array.of(0, 255) },
      { name: 'scalar', shape: [], data: Float32Array.of(4) },
    ])
    const file = await openSafetensors(path)
    const at = (name: string) => file.entries.find(each => each.name === name)!
    expect(await file.readFloat32(at('full'))).toEqual(data)
    expect([...(await file.readFloat32(at('half')))]).toEqual([1, -2.5, 0.0999755859375])
    expect([...(await file.readFloat32(at('brain')))]).toEqual([1, -2.5, 0.10009765625])
    expect([...(await file.readInt32(at('ids')))]).toEqual([7, -7])
    expect([...(await file.readInt32(at('wide')))]).toEqual([-5])
    expect([...(await file.readInt32(at('bytes')))]).toEqual([0, 255])
    expect([...(await file.readFloat32(at('scalar')))]).toEqual([4])
    expect(file.metadata).toEqual({ format: 'pt' })
    await file.close()
  })

  test('writes the bytes that the reference library wrote', async () => {
    const file = await openSafetensors(fixture.pathname)
    const tensors: TensorToWrite[] = []
    for (const { name, shape, dtype } of file.entries.toReversed()) {
      const data = await file.readFloat32(file.entries.find(each => each.name === name)!)
      tensors.push({ name, shape, data, dtype })
    }
    await file.close()
    const copy = join(folder, 'copy.safetensors')
    await writeSafetensors(copy, tensors, file.metadata)
    expect(Buffer.compare(await readFile(copy), await readFile(fixture))).toBe(0)
  })
})

describe('openSafetensors', () => {
  test.for([
    { name: 'an empty file', header: '', data: 0, claimed: 0, cut: 0 },
    { name: 'a header longer than the file', header: '{}', data: 0, claimed: 1000 },
    { name: 'a header of 2^60 bytes', header: '{}', data: 0, claimed: 2 ** 60 },
    { name: 'a header that is not JSON', header: '{"a":', data: 0 },
    { name: 'a header that is an array', header: '[]', data: 0 },
    { name: 'a header that is not UTF-8', header: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), data: 0 },
    { name: 'an entry that is no object', header: '{"a":1}', data: 0 },
    { name: 'an unknown element type', header: JSON.stringify({ a: entry([1], [0, 4], 'Q9') }), data: 4 },
    { name: 'a type named like a method', header: JSON.stringify({ a: entry([1], [0, 4], 'toString') }), data: 4 },
    { name: 'a negative length', header: JSON.stringify({ a: entry([-1], [0, 4]) }), data: 4 },
    { name: 'a fractional length', header: JSON.stringify({ a: entry([0.5], [0, 2]) }), data: 2 },
    { name: 'a shape that overflows', header: JSON.stringify({ a: entry([2 ** 40, 2 ** 40], [0, 4]) }), data: 4 },
    { name: 'a size that does not match', header: JSON.stringify({ a: entry([2], [0, 4]) }), data: 4 },
    { name: 'an end before its begin', header: JSON.stringify({ a: entry([1], [4, 0]) }), data: 4 },
    { name: 'three offsets', header: JSON.stringify({ a: entry([1], [0, 4, 8]) }), data: 4 },
    {
      name: 'overlapping tensors',
      header: JSON.stringify({ a: entry([2], [0, 8]), b: entry([1], [4, 8]) }),
      data: 8,
    },
    { name: 'a gap', header: JSON.stringify({ a: entry([1], [0, 4]), b: entry([1], [8, 12]) }), data: 12 },
    { name: 'data beyond the end', header: JSON.stringify({ a: entry([2], [0, 8]) }), data: 4 },
    { name: 'bytes after the last tensor', header: JSON.stringify({ a: entry([1], [0, 4]) }), data: 8 },
    {
      name: 'the same key twice',
      header: '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{}}',
      data: 1,
    },
    { name: 'a field twice', header: '{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', data: 1 },
    { name: 'notes that are no strings', header: '{"__metadata__":{"a":1}}', data: 0 },
  ])('refuses $name', async ({ header, data, claimed, cut }) => {
    const path = await fileOf(header, data, claimed)
    if (cut !== undefined) await writeFile(path, '')
    await expect(openSafetensors(path)).rejects.toThrow(expect.objectContaining({ code: 'MODEL_SAFETENSORS_INVALID' }))
  })

  test('does not read integers as numbers, nor numbers as integers', async () => {
    const path = join(folder, 'wrong.safetensors')
    await writeSafetensors(path, [
      { name: 'a', shape: [1], data: Int32Array.of(1) },
      { name: 'b', shape: [1], data: Float32Array.of(1) },
    ])
    const file = await openSafetensors(path)
    const error = expect.objectContaining({ code: 'MODEL_DTYPE_UNSUPPORTED' })
    await expect(file.readFloat32(file.entries.find(each => each.name === 'a')!)).rejects.toThrow(error)
    await expect(file.readInt32(file.entries.find(each => each.name === 'b')!)).rejects.toThrow(error)
    await file.close()
  })

  test('says when an integer does not fit 32 bits', async () => {
    const path = join(folder, 'large.safetensors')
    await writeSafetensors(path, [{ name: 'a', shape: [1], data: BigInt64Array.of(2n ** 40n) }])
    const file = await openSafetensors(path)
    const error = expect.objectContaining({ code: 'MODEL_SAFETENSORS_INVALID' })
    await expect(file.readInt32(file.entries[0]!)).rejects.toThrow(error)
    await file.close()
  })
})
