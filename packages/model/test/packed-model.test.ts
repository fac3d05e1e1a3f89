import { createOrtExecutor, type OrtExecutor } from '@qoq-med/tensor'
import { randomUUID } from 'node:crypto'
import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openPackedModel, type PackedModel } from '../src/folder/packed-model.ts'
import type { PackedType } from '../src/packed/packed-parts.ts'
import { cachedFolder, cachedWeights, dropCachedWeights } from '../src/packed/weight-cache.ts'
import { LocalPolicy } from '../src/policy/local-policy.ts'
import { openModel } from '../src/folder/open-model.ts'
import { answersOf, openPolicy, textPrompt } from './parity.ts'

const fixture = fileURLToPath(new URL('../fixtures/qwen2_text_sharded_bf16', import.meta.url))
const prompt = textPrompt(Int32Array.from({ length: 40 }, (_, i) => (i * 13) % 300))

let executor: OrtExecutor
let root: string
let folder: string
let cache: string
beforeAll(async () => {
  executor = await createOrtExecutor()
})
afterAll(() => executor.close())
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'packed-model-'))
  ;[folder, cache] = [join(root, 'model'), join(root, 'cache')]
  await cp(fixture, folder, { recursive: true })
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function withPacked<Value>(
  weightsType: PackedType,
  work: (policy: LocalPolicy, packed: PackedModel) => Promise<Value>,
  limitBytes?: number,
): Promise<Value> {
  const packed = await openPackedModel(folder, { weightsType, cache: { folder: cache, limitBytes } })
  const policy = new LocalPolicy({ packed, executor })
  try {
    return await work(policy, packed)
  } finally {
    await policy.close()
    await packed.close()
  }
}

const answer = async (policy: LocalPolicy): Promise<number[]> => {
  const [completion] = await answersOf(policy, [{ prompt, temperature: 0, maxNewTokens: 16 }])
  return [...completion!.tokenIds] // one request, one answer
}

/** Files of the only entry of the cache. */
async function entryFiles(): Promise<{ path: string; names: string[] }> {
  const [entry] = await cachedWeights(cache)
  const path = join(cache, entry!.key)
  return { path, names: await readdir(path) }
}

describe('a packed model', () => {
  test('answers in float32 as it does from memory', async () => {
    const policy = await openPolicy(executor, folder)
    const want = await answer(policy)
    await policy.close()
    expect(await withPacked('float32', answer)).toEqual(want)
  })

  // Random weights of deviation 0.02: rounding them to 4 bits is off by a tenth of them, to 8 bits by less than a hundredth.
  test.for([
    { type: 'int8', worst: 0.02 },
    { type: 'int4', worst: 0.4 },
  ] as const)('gives logits near those of float32 in $type', async ({ type, worst }) => {
    const [want] = await withPacked('float32', policy => policy.logits([prompt]))
    const [got] = await withPacked(type, policy => policy.logits([prompt]))
    const deviation = Math.sqrt(want!.reduce((sum, value) => sum + value ** 2, 0) / want!.length)
    const error = Math.sqrt(got!.reduce((sum, value, i) => sum + (value - want![i]!) ** 2, 0) / want!.length)
    expect(error / deviation).toBeLessThan(worst)
    expect(error / deviation).toBeGreaterThan(worst / 100) // or nothing was rounded
  })

  test('gives the logits of float32 in bfloat16, in which the checkpoint is', async () => {
    const [want] = await withPacked('float32', policy => policy.logits([prompt]))
    const [got] = await withPacked('bfloat16', policy => policy.logits([prompt]))
    got!.forEach((value, i) => expect(value).toBeCloseTo(want![i]!, 5))
    const [answers, wanted] = [await withPacked('bfloat16', answer), await withPacked('float32', answer)]
    expect(answers).toEqual(wanted)
  })

  test('scores what it answers as it was sampled', async () => {
    await withPacked('int4', async policy => {
      const seeds = Array.from({ length: 8 }, (_, seed) => seed)
      const requests = seeds.map(seed => ({ prompt, temperature: 1, seed, maxNewTokens: 24 }))
      const answers = await answersOf(policy, requests)
      const scored = await policy.logprobs(answers.map(({ tokenIds }) => ({ prompt, completion: tokenIds })))
      const worst = answers.map(({ logprobs }, at) =>
        Math.max(...logprobs.map((value, i) => Math.abs(value - scored[at]![i]!))),
      )
      // The same rounded weights. An activation that lies between two of its eight-bit codes may get one or the other in a batch of
      // another size: one answer in eight or so, whose log-probabilities are then off by some hundredths.
      expect(worst.filter(each => each < 1e-5).length).toBeGreaterThanOrEqual(4)
      expect(Math.max(...worst)).toBeLessThan(0.1)
    })
  })

  test('computes a prompt that is longer than a chunk', async () => {
    const long = textPrompt(Int32Array.from({ length: 300 }, (_, i) => (i * 7) % 300))
    const policy = await openPolicy(executor, folder)
    const [want] = await answersOf(policy, [{ prompt: long, temperature: 0, maxNewTokens: 8 }])
    await policy.close()
    const [got] = await withPacked('float32', each =>
      answersOf(each, [{ prompt: long, temperature: 0, maxNewTokens: 8 }]),
    )
    expect([...got!.tokenIds]).toEqual([...want!.tokenIds])
    got!.logprobs.forEach((value, i) => expect(value).toBeCloseTo(want!.logprobs[i]!, 4))
  })
})

describe('a decoder that is divided among programs', () => {
  test.for(['float32', 'int4'] as const)('answers, scores and samples in %s as one program does', async type => {
    const packed = await openPackedModel(folder, { weightsType: type, cache: { folder: cache } })
    const request = { prompt: textPrompt(ids(300, 3)), samples: 2, temperature: 1, seed: 4, maxNewTokens: 12 }
    const results = []
    for (const sessions of [1, 2]) {
      const policy = new LocalPolicy({ packed, executor, sessions })
      const answers = await answersOf(policy, [request])
      const scores = await policy.logprobs(answers.map(({ tokenIds }) => ({ ...request, completion: tokenIds })))
      results.push({ answers, scores })
      await policy.close()
    }
    const [one, two] = results
    expect(two!.answers.map(({ tokenIds }) => [...tokenIds])).toEqual(one!.answers.map(({ tokenIds }) => [...tokenIds]))
    // Sums of two programs are not fused across their border.
    two!.scores.forEach((values, i) => values.forEach((value, j) => expect(value).toBeCloseTo(one!.scores[i]![j]!, 4)))
    await packed.close()
  })
})

describe('work that happens at the same time', () => {
  test('answers and scores as one after the other', async () => {
    await withPacked('int8', async policy => {
      const prompts = [3, 5, 8].map(last => textPrompt(ids(90, last)))
      const requests = prompts.map(each => ({ prompt: each, temperature: 0, maxNewTokens: 20 }))
      const wanted = []
      for (const request of requests) wanted.push((await answersOf(policy, [request]))[0]!)
      const sequences = wanted.map(({ tokenIds: completion }, i) => ({ prompt: prompts[i]!, completion }))
      const scored = await policy.logprobs(sequences)
      const [answers, ...scores] = await Promise.all([
        answersOf(policy, requests.slice(0, 1)),
        ...sequences.map(sequence => policy.logprobs([sequence])),
      ])
      expect([...answers[0]!.tokenIds]).toEqual([...wanted[0]!.tokenIds])
      expect([...answers[0]!.logprobs]).toEqual([...wanted[0]!.logprobs])
      scores.forEach(([values], i) => expect([...values!]).toEqual([...scored[i]!]))
    })
  })
})

describe('work that is stopped', () => {
  test('is left after the part of a prompt that is computed', async () => {
    const packed = await openPackedModel(folder, { weightsType: 'int8', cache: { folder: cache } })
    const { executor: counted, tokens } = counting(executor)
    const policy = new LocalPolicy({ packed, executor: counted })
    const stop = new AbortController()
    const request = { prompt: textPrompt(ids(700, 3)), maxNewTokens: 4 }
    const answering = events(policy.generate([request], { signal: stop.signal }))
    await expect.poll(() => tokens.length, { interval: 1 }).toBeGreaterThan(0)
    stop.abort(new Error('stopped'))
    await expect(answering).rejects.toThrow('stopped')
    await policy.close()
    expect(tokens.length).toBeLessThan(3)
    expect(tokens[0]).toBe(256)
    await packed.close()
  })

  test('is not waited for, whether it answers or scores', async () => {
    await withPacked('int8', async policy => {
      let isScored = false
      const prompts = Array.from({ length: 20 }, () => textPrompt(ids(700, 3)))
      const busy = policy.logits(prompts).then(() => (isScored = true))
      const stop = new AbortController()
      const sequence = { prompt, completion: Int32Array.of(1, 2) }
      const scoring = policy.logprobs([sequence], { signal: stop.signal })
      stop.abort(new Error('stopped'))
      await expect(scoring).rejects.toThrow('stopped')
      expect(isScored).toBe(false)
      await busy
    })
  })

  test('leaves nothing of what was packed', async () => {
    const options = { weightsType: 'int4', cache: { folder: cache } } as const
    const opening = openPackedModel(folder, { ...options, signal: AbortSignal.abort(new Error('stopped')) })
    await expect(opening).rejects.toThrow('stopped')
    expect(await readdir(cache)).toEqual([])
  })
})

async function events<Event>(stream: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = []
  for await (const event of stream) all.push(event)
  return all
}

async function fillFullDisk(target: string): Promise<void> {
  await writeFile(join(target, 'decoder.bin'), new Uint8Array(100))
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
}

/** Runs of every program, as the lengths of what they were fed. */
function counting(inner: OrtExecutor): { executor: OrtExecutor; tokens: number[] } {
  const tokens: number[] = []
  const compile: OrtExecutor['compile'] = async (...args) => {
    const program = await inner.compile(...args)
    const run: typeof program.run = (feeds, options) => {
      const { embeddings } = feeds
      if (embeddings && 'shape' in embeddings) tokens.push(embeddings.shape[0]!)
      return program.run(feeds, options)
    }
    return { inputs: program.inputs, outputs: program.outputs, run, close: () => program.close() }
  }
  return { executor: { ...inner, compile }, tokens }
}

function ids(length: number, last: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => (i === length - 1 ? last : (i * 7) % 300))
}

describe('prompts that begin alike', () => {
  test('are computed from their first difference on, in whole chunks, to the same bits', async () => {
    const packed = await openPackedModel(folder, { weightsType: 'int8', cache: { folder: cache } })
    const { executor: counted, tokens } = counting(executor)
    const [fresh, used] = [executor, counted].map(each => new LocalPolicy({ packed, executor: each })) as [
      LocalPolicy,
      LocalPolicy,
    ] // two in
    const next = textPrompt(ids(700, 11))
    const request = { prompt: next, temperature: 0, maxNewTokens: 6 }
    const [want] = await answersOf(fresh, [request])
    await answersOf(used, [{ prompt: textPrompt(ids(600, 5)), temperature: 0, maxNewTokens: 1 }])
    tokens.length = 0
    const [got] = await answersOf(used, [request])
    // Of 700 tokens 599 are known, two chunks of 256 in full.
    expect(tokens.slice(0, 1)).toEqual([188])
    expect([...got!.tokenIds]).toEqual([...want!.tokenIds])
    expect([...got!.logprobs]).toEqual([...want!.logprobs])
    tokens.length = 0
    await answersOf(used, [{ ...request, prompt: textPrompt(ids(700, 11).map(id => (id + 1) % 300)) }])
    expect(tokens.slice(0, 3)).toEqual([256, 256, 188])
    await fresh.close()
    await used.close()
    await packed.close()
  })
})

describe('the cache of packed weights', () => {
  test('is used by the next start, and made anew when the checkpoint or the type changes', async () => {
    const first = await withPacked('int8', async (_, packed) => packed.key)
    const { path } = await entryFiles()
    const written = await readFile(join(path, 'entry.json'), 'utf8')
    expect(await withPacked('int8', async (_, packed) => packed.key)).toBe(first)
    expect(await readFile(join(path, 'entry.json'), 'utf8')).toBe(written)
    expect(await withPacked('int4', async (_, packed) => packed.key)).not.toBe(first)
    const shard = (await readdir(folder)).find(name => name.endsWith('.safetensors'))
    await utimes(join(folder, shard!), new Date(), new Date(Date.now() + 5000))
    expect(await withPacked('int8', async (_, packed) => packed.key)).not.toBe(first)
    expect(await cachedWeights(cache)).toHaveLength(3)
  })

  test('drops the least recently used beyond its limit, and all or one when asked', async () => {
    const one = await withPacked('int4', async (_, packed) => packed.key)
    const { path } = await entryFiles()
    await utimes(join(path, 'entry.json'), new Date(0), new Date(0))
    const two = await withPacked('int8', async (_, packed) => packed.key, 1)
    expect((await cachedWeights(cache)).map(({ key }) => key)).toEqual([two])
    expect(one).not.toBe(two)
    expect(await dropCachedWeights(cache, one)).toEqual([])
    expect(await dropCachedWeights(cache)).toHaveLength(1)
    expect(await cachedWeights(cache)).toEqual([])
  })

  test('drops what a killed process left an hour ago, and nothing that is being written', async () => {
    const [left, current] = ['1', '2'].map(digit => join(cache, `.${digit.repeat(64)}-${randomUUID()}`)) as [
      string,
      string,
    ] // two in
    for (const each of [left, current]) {
      await mkdir(each, { recursive: true })
      await writeFile(join(each, 'decoder.bin'), 'half')
      await utimes(each, new Date(0), new Date(0))
    }
    const past = new Date(Date.now() - 2 * 3_600_000)
    await utimes(join(left, 'decoder.bin'), past, past)
    const key = await withPacked('int4', async (_, packed) => packed.key)
    expect((await readdir(cache)).toSorted()).toEqual([basename(current), key].toSorted())
    await utimes(join(current, 'decoder.bin'), past, past)
    await dropCachedWeights(cache)
    expect(await readdir(cache)).toEqual([])
  })

  test('says so when the checkpoint becomes shorter while it is open, and keeps nothing of it', async () => {
    const opened = await openModel(folder)
    for (const file of opened.files) await truncate(file, 4000)
    await expect(opened.readWeight('lm_head.weight')).rejects.toMatchObject({ code: 'MODEL_FILE_CHANGED' })
    await opened.close()
  })

  test('leaves nothing when the checkpoint ends early while it is packed', async () => {
    const shard = (await readdir(folder)).find(name => name.endsWith('.safetensors'))
    await truncate(join(folder, shard!), 5000)
    await expect(withPacked('int4', answer)).rejects.toMatchObject({ code: 'MODEL_SAFETENSORS_INVALID' })
    expect(await readdir(cache).catch(() => [])).toEqual([])
  })

  test.for([
    { name: 'becomes full', bytes: 1000 },
    { name: 'has no room', bytes: Number.MAX_SAFE_INTEGER },
  ])('says so and keeps nothing when the disk $name', async ({ bytes }) => {
    const content = { key: 'a'.repeat(64), model: 'm', bytes, fill: fillFullDisk }
    await expect(cachedFolder(content, { folder: cache })).rejects.toMatchObject({ code: 'MODEL_CACHE_FULL' })
    expect(await readdir(cache)).toEqual([])
  })

  test('drops a large file that was damaged, and says so', async () => {
    const bytes = 17 * 2 ** 20
    const fill = (target: string): Promise<void> => writeFile(join(target, 'decoder.bin'), new Uint8Array(bytes))
    const content = { key: 'b'.repeat(64), model: 'm', bytes, fill }
    const { folder: entry, verified } = await cachedFolder(content, { folder: cache })
    await verified
    await (
      await cachedFolder(content, { folder: cache })
    ).verified
    const handle = await open(join(entry, 'decoder.bin'), 'r+')
    await handle.write(Uint8Array.of(1), 0, 1, bytes / 2)
    await handle.close()
    const again = await cachedFolder(content, { folder: cache })
    await expect(again.verified).rejects.toMatchObject({ code: 'MODEL_CACHE_DAMAGED' })
    expect(await cachedWeights(cache)).toEqual([])
  })

  test('says when it cannot be written', async () => {
    await writeFile(cache, 'a file where the folder should be')
    await expect(withPacked('int4', answer)).rejects.toMatchObject({ code: 'MODEL_CACHE_UNUSABLE' })
  })

  test('answers the same or fails with a typed error after any of 300 damages, and is made anew', async () => {
    const want = await withPacked('int8', answer)
    const { path, names } = await entryFiles()
    const whole = await Promise.all(names.map(async name => [name, await readFile(join(path, name))] as const))
    let random = 7
    const draw = (below: number): number => (random = (random * 1_103_515_245 + 12_345) % 2 ** 31) % below
    for (let round = 0; round < 300; round++) {
      for (const [name, bytes] of whole) await writeFile(join(path, name), bytes)
      const [name, bytes] = whole[round % whole.length]!
      if (round % 3 === 0) await truncate(join(path, name), draw(bytes.length))
      else {
        const handle = await open(join(path, name), 'r+')
        await handle.write(Uint8Array.of(bytes[0]! ^ (1 + draw(255))), 0, 1, draw(bytes.length))
        await handle.close()
      }
      const got = await withPacked('int8', answer).catch((error: unknown) => error)
      expect([String(want), 'MODEL_CACHE_DAMAGED']).toContain(
        Array.isArray(got) ? String(got) : (got as { code?: string }).code,
      )
    }
    expect(await withPacked('int8', answer)).toEqual(want)
  }, 120_000)
})
