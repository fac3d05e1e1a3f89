import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPackedModel } from '../src/folder/packed-model.ts'
import { cacheTypes, cacheVectorBytes, type CacheType } from '../src/generation/cache-codec.ts'
import { KvCache } from '../src/generation/kv-cache.ts'
import { LocalPolicy } from '../src/policy/local-policy.ts'
import { answersOf, textPrompt } from './parity.ts'

const fixture = fileURLToPath(new URL('../fixtures/qwen2_text_sharded_bf16', import.meta.url))
// Longer than a chunk: what comes later reads what was rounded.
const prompt = textPrompt(Int32Array.from({ length: 300 }, (_, i) => (i * 13) % 300))

let executor: OrtExecutor
let root: string
beforeAll(async () => {
  executor = await createOrtExecutor()
  root = await mkdtemp(join(tmpdir(), 'cache-types-'))
})
afterAll(async () => {
  await executor.close()
  await rm(root, { recursive: true })
})

async function withCache<Value>(cacheType: CacheType, work: (policy: LocalPolicy) => Promise<Value>): Promise<Value> {
  const packed = await openPackedModel(fixture, { weightsType: 'float32', cache: { folder: root } })
  const policy = new LocalPolicy({ packed, executor, cacheType })
  try {
    return await work(policy)
  } finally {
    await policy.close()
    await packed.close()
  }
}

describe('a cache of keys and values', () => {
  // Half precision has 11 bits, a block of codes about 8: of values whose rounding errors average out.
  test.for([
    { type: 'float16', least: 1e-6, most: 3e-4 },
    { type: 'int8', least: 1e-5, most: 5e-3 },
  ] as const)('in $type gives logits near those of float32', async ({ type, least, most }) => {
    const [want] = await withCache('float32', policy => policy.logits([prompt]))
    const [got] = await withCache(type, policy => policy.logits([prompt]))
    const { vocabSize } = { vocabSize: want!.length / 300 }
    const behind = { want: want!.subarray(64 * vocabSize), got: got!.subarray(64 * vocabSize) }
    const deviation = Math.sqrt(behind.want.reduce((sum, value) => sum + value ** 2, 0))
    const error = Math.sqrt(behind.want.reduce((sum, value, i) => sum + (value - behind.got[i]!) ** 2, 0))
    expect(error / deviation).toBeLessThan(most)
    expect(error / deviation).toBeGreaterThan(least) // or nothing was rounded
  })

  test.for(cacheTypes)('in %s scores several answers as they were sampled', async type => {
    await withCache(type, async policy => {
      const completions = await answersOf(policy, [{ prompt, samples: 3, temperature: 1, seed: 5, maxNewTokens: 20 }])
      const scored = await policy.logprobs(completions.map(({ tokenIds: completion }) => ({ prompt, completion })))
      const gaps = completions.flatMap(({ logprobs }, i) =>
        [...logprobs].map((value, j) => Math.abs(value - scored[i]![j]!)),
      )
      expect(completions.length).toBe(3)
      expect(Math.max(...gaps)).toBeLessThan(type === 'float32' ? 1e-4 : 5e-3)
    })
  })

  test.for(cacheTypes)('in %s keeps rows through growing, leaving and going on', type => {
    const cache = new KvCache({ ...sizes, numLayers: 2 }, type)
    cache.reserve(2, 4)
    cache.open()
    cache.open()
    cache.append(present(0, 2), { batch: 2, tokens: 1 })
    cache.append(present(1, 2), { batch: 2, tokens: 1 })
    const key = (row: number, token: number): number[] => floats(cache, type, row, token)
    const [first, second] = [key(1, 0), key(1, 1)]
    cache.reserve(4, 32)
    expect([key(1, 0), key(1, 1)]).toEqual([first, second])
    cache.remove(0)
    expect([key(0, 0), key(0, 1)]).toEqual([first, second])
    cache.truncate(0, 1)
    cache.append(present(1, 2).subarray(0), { batch: 2, tokens: 1 })
    expect(key(0, 0)).toEqual(first)
    // By hand: key of layer 0, row 1, token 0, head 0 begins at element 2 * 32 of the first run.
    first.forEach((value, i) => expect(Math.abs(value - Math.sin(64 + i))).toBeLessThan(tolerance[type]))
  })

  test.for(cacheTypes)('in %s keeps nothing of rows that were dropped', type => {
    const cache = new KvCache({ ...sizes, numLayers: 2 }, type)
    cache.reserve(2, 4)
    cache.open()
    cache.open()
    const unknown = present(0, 2).fill(Number.NaN)
    cache.append(unknown, { batch: 2, tokens: 1 })
    cache.remove(0)
    cache.append(unknown, { batch: 1, tokens: 1 })
    cache.remove(0)
    for (const data of Object.values(cache.arrays())) expect(data.every(value => value === 0)).toBe(true)
    cache.open()
    cache.clear()
    expect(cache).toMatchObject({ rows: 0, longest: 0, capacity: { rows: 0, length: 0 } })
    for (const data of Object.values(cache.arrays())) expect(data).toHaveLength(0)
  })

  test('takes a half and about a quarter of the memory', () => {
    expect(cacheTypes.map(type => cacheVectorBytes(type, 128))).toEqual([512, 256, 144])
  })
})

const tolerance = { float32: 1e-7, float16: 2 ** -11, int8: 1 / 254 + 1e-6 } as const
const sizes = {
  hiddenSize: 64,
  intermediateSize: 64,
  numHeads: 2,
  numKvHeads: 2,
  headDim: 32,
  vocabSize: 10,
  rmsNormEpsilon: 1e-6,
  ropeTheta: 1e4,
  tieWordEmbeddings: false,
  attentionBias: false,
  maxPositions: 64,
  initializerRange: 0.02,
}

/** [2 * 2 layers, rows, 2 heads, 32] of one token. */
function present(token: number, rows: number): Float32Array {
  return Float32Array.from({ length: 4 * rows * 2 * 32 }, (_, i) => Math.sin(i + 100 * token))
}

/** A key of layer 0, head 0 as numbers, by the definitions of the types. */
function floats(cache: KvCache, type: CacheType, row: number, token: number): number[] {
  const { length } = cache.capacity
  const arrays = cache.arrays()
  const vector = row * 2 * length + token
  const codes = [...arrays['keys.0']!.subarray(32 * vector, 32 * (vector + 1))]
  if (type === 'int8') return codes.map(code => code * arrays['keyScales.0']![vector]!)
  return type === 'float32' ? codes : codes.map(half)
}

/** IEEE 754 half precision, normal numbers alone. */
function half(bits: number): number {
  return (bits & 0x8000 ? -1 : 1) * (1 + (bits & 1023) / 1024) * 2 ** (((bits >> 10) & 31) - 15)
}
