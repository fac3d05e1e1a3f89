import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadModel } from '../folder/model-weights.ts'
import { openModel } from '../folder/open-model.ts'
import { ggufBytes } from './gguf.testing.ts'
import { ggufMetadata as metadata, tensorsOfFixture } from './gguf-model.testing.ts'
import { openGguf } from './gguf-source.ts'
import { ggmlTypes } from './gguf-types.ts'

const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url))
const { cases } = JSON.parse(readFileSync(join(fixtures, 'gguf/blocks.json'), 'utf8')) as {
  cases: { type: string; number: number; bytes: number[]; values: number[] }[]
} // our own fixture

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'gguf-'))
})
afterAll(() => rm(root, { recursive: true }))

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(root, 'model.gguf')
  await writeFile(path, bytes)
  return path
}

describe('ggmlTypes', () => {
  test.for(cases)('decodes $type as the reference package', ({ number, bytes, values }) => {
    const got = new Float32Array(values.length)
    ggmlTypes[number]!.decode(Uint8Array.from(bytes), got)
    values.forEach((want, i) => expect(Math.abs(got[i]! - want)).toBeLessThanOrEqual(1e-6 * Math.abs(want)))
  })
})

/** llama.cpp's order of rows: reshape(heads, 2, headDim / 2, columns), swap the middle axes. */
function interleaved(name: string, values: Float32Array): Float32Array {
  if (!/[qk]_proj/.test(name)) return values
  const columns = name.endsWith('bias') ? 1 : 48
  const result = new Float32Array(values.length)
  for (let row = 0; row < values.length / columns; row++) {
    const [head, inHead] = [Math.floor(row / 16), row % 16]
    const to = head * 16 + (inHead % 8) * 2 + Math.floor(inHead / 8)
    result.set(values.subarray(row * columns, (row + 1) * columns), to * columns)
  }
  return result
}

describe('openModel of a GGUF file', () => {
  test('reads weights, sizes, tokenizer and chat template', async () => {
    const { tensors, weights, names } = await tensorsOfFixture()
    const { model, store } = await loadModel(await fileOf(ggufBytes(metadata, tensors)))
    for (const name of names) expect(store.weights(name)).toEqual(weights(name))
    expect(model.config.decoder).toMatchObject({
      headDim: 16,
      ropeTheta: 1e6,
      tieWordEmbeddings: false,
      vocabSize: 1376,
    })
    expect(model.endTokenIds).toEqual(new Set([0]))
    expect([...model.encode([{ role: 'user', content: 'abb' }]).tokenIds]).toEqual([3, 2])
  })

  test('puts the rows of llama’s rotated projections back in order', async () => {
    const { tensors, weights, names } = await tensorsOfFixture(interleaved)
    const renamed = Object.fromEntries(
      Object.entries(metadata).map(([key, value]) => [key.replace('qwen2.', 'llama.'), value]),
    )
    const withoutBias = tensors.filter(tensor => !tensor.name.endsWith('.bias'))
    const { store } = await loadModel(
      await fileOf(ggufBytes({ ...renamed, 'general.architecture': 'llama' }, withoutBias)),
    )
    for (const name of names.filter(each => !each.endsWith('.bias'))) expect(store.weights(name)).toEqual(weights(name))
  })

  test.for([
    { name: 'another architecture', change: { 'general.architecture': 'mamba' }, code: 'MODEL_CONFIG_UNSUPPORTED' },
    { name: 'stretched positions', change: { 'qwen2.rope.scaling.type': 'yarn' }, code: 'MODEL_CONFIG_UNSUPPORTED' },
    { name: 'a size of the wrong kind', change: { 'qwen2.block_count': 'three' }, code: 'MODEL_CONFIG_INVALID' },
    { name: 'a size of zero', change: { 'qwen2.embedding_length': 0 }, code: 'MODEL_CONFIG_INVALID' },
    { name: 'heads that do not divide', change: { 'qwen2.attention.head_count_kv': 2 }, code: 'MODEL_CONFIG_INVALID' },
    { name: 'a unigram tokenizer', change: { 'tokenizer.ggml.model': 'llama' }, code: 'MODEL_TOKENIZER_INVALID' },
    { name: 'an unknown pre-tokenizer', change: { 'tokenizer.ggml.pre': 'new' }, code: 'MODEL_TOKENIZER_INVALID' },
    { name: 'merges of one side', change: { 'tokenizer.ggml.merges': ['ab'] }, code: 'MODEL_TOKENIZER_INVALID' },
    { name: 'fewer layers than tensors', change: { 'qwen2.block_count': 2 }, code: 'MODEL_TENSOR_UNEXPECTED' },
    { name: 'more layers than tensors', change: { 'qwen2.block_count': 4 }, code: 'MODEL_TENSOR_MISSING' },
  ])('refuses $name', async ({ change, code }) => {
    const { tensors } = await tensorsOfFixture()
    const path = await fileOf(ggufBytes({ ...metadata, ...change }, tensors))
    await expect(openModel(path)).rejects.toThrow(expect.objectContaining({ code }))
  })
})

/** The second tensor's offset becomes that of the first. */
function overlapOf(file: Buffer): Buffer {
  const copy = Buffer.from(file)
  const second = copy.lastIndexOf('b') + 1 + 4 + 16 + 4
  copy.writeBigUInt64LE(0n, second)
  return copy
}

describe('openGguf', () => {
  const floats = new Uint8Array(new Float32Array(8).buffer)
  const tensor = { name: 'a', shape: [2, 4], data: floats }
  const good = ggufBytes({ key: 'value' }, [tensor, { ...tensor, name: 'b' }])
  const changed = (at: number, bytes: readonly number[]): Buffer => {
    const copy = Buffer.from(good)
    copy.set(bytes, at)
    return copy
  }
  const afterValue = 24 + 8 + 3 + 4 + 8 + 5

  test.for([
    { name: 'another format', bytes: changed(0, [0x47, 0x47, 0x4d, 0x4c]) },
    { name: 'an old version', bytes: changed(4, [1]) },
    { name: 'a huge number of tensors', bytes: changed(8, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]) },
    { name: 'a huge number of values', bytes: changed(16, [0xff, 0xff, 0xff, 0xff]) },
    { name: 'a huge text', bytes: changed(24, [0xff, 0xff, 0xff, 0xff]) },
    { name: 'an unknown kind of value', bytes: changed(24 + 8 + 3, [99]) },
    { name: 'an unknown element type', bytes: changed(afterValue + 8 + 1 + 4 + 16, [7]) },
    { name: 'five dimensions', bytes: changed(afterValue + 8 + 1, [5]) },
    {
      name: 'a shape that overflows',
      bytes: changed(afterValue + 8 + 1 + 4, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0]),
    },
    { name: 'data beyond the end', bytes: changed(afterValue + 8 + 1 + 4 + 16 + 4, [0xff, 0xff]) },
    { name: 'tensors that overlap', bytes: good },
    { name: 'a tensor twice', bytes: ggufBytes({}, [tensor, tensor]) },
    {
      name: 'a block that does not divide a row',
      bytes: ggufBytes({}, [{ ...tensor, type: 8, data: new Uint8Array(34) }]),
    },
    { name: 'an odd alignment', bytes: ggufBytes({ 'general.alignment': 33 }, [tensor]) },
    { name: 'a file that ends in its header', bytes: good.subarray(0, 60) },
    { name: 'a file that ends in its data', bytes: good.subarray(0, -64) },
    { name: 'an empty file', bytes: Buffer.alloc(0) },
  ])('refuses $name', async ({ bytes, name }) => {
    const overlapping = name === 'tensors that overlap' ? overlapOf(good) : bytes
    await expect(openGguf(await fileOf(overlapping))).rejects.toThrow(
      expect.objectContaining({ code: 'MODEL_GGUF_INVALID' }),
    )
  })
})
