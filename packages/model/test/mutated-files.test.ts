import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isHintedError } from '@qoq-med/errors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSafetensorsSource } from '../src/checkpoint/checkpoint-files.ts'
import { ggufBytes } from '../src/checkpoint/gguf.testing.ts'
import { openGguf } from '../src/checkpoint/gguf-source.ts'
import { openPth } from '../src/checkpoint/pth-source.ts'
import { counterStream } from '../src/generation/counter-random.ts'
import { missingOracles, oracleFile } from './oracle-folder.ts'

const mutations = 150
const shard = fileURLToPath(
  new URL('../fixtures/qwen2_text_sharded_bf16/model-00001-of-00002.safetensors', import.meta.url),
)

type Random = () => number
const below = (random: Random, limit: number): number => Math.floor(random() * limit)

/** Damages a file in one of the ways in which files are damaged or forged, in its first `headerBytes` above all. */
function mutated(source: Buffer, headerBytes: number, random: Random): Buffer {
  const bytes = Buffer.from(source)
  const at = below(random, headerBytes)
  const kinds = [
    () => bytes.subarray(0, below(random, bytes.length)),
    () => (bytes.writeUInt8(bytes[at]! ^ (1 << below(random, 8)), at), bytes),
    () => (bytes.fill(below(random, 256), at, at + 1 + below(random, 16)), bytes),
    () => (bytes.writeBigUInt64LE(2n ** BigInt(below(random, 64)), Math.min(at, bytes.length - 8)), bytes),
    () => (bytes.writeUInt32LE(0xffffffff - below(random, 3), Math.min(at, bytes.length - 4)), bytes),
    () => (bytes.copy(bytes, at, below(random, headerBytes), below(random, bytes.length)), bytes),
    () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(random, 64))]),
    () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(random, at + 1))]),
    () => (bytes.writeUInt8(0x30 + below(random, 10), at), bytes),
  ]
  return kinds[below(random, kinds.length)]!()
}

interface Format {
  readonly name: string
  /** Opens a file and reads everything in it. */
  readonly read: (path: string) => Promise<void>
  readonly source: () => Promise<Buffer>
  /** Where the description lies: a tail of the file for zip archives. */
  readonly headerBytes: (source: Buffer) => number
}

const formats: Format[] = [
  {
    name: 'safetensors',
    read: async path => {
      const source = await openSafetensorsSource(path)
      try {
        for (const name of source.tensors.keys()) await source.readFloat32(name)
      } finally {
        await source.close()
      }
    },
    source: () => readFile(shard),
    headerBytes: source => 8 + Number(source.readBigUInt64LE()),
  },
  {
    name: 'GGUF',
    read: async path => {
      const file = await openGguf(path)
      await file.close()
    },
    source: () => {
      const data = new Uint8Array(64 * 34)
      const tensors = ['a', 'b', 'c'].map(name => ({ name, shape: [64, 32], type: 8, data }))
      return Promise.resolve(ggufBytes({ 'general.name': 'x', list: ['a', 'b'], count: 3 }, tensors))
    },
    headerBytes: () => 260,
  },
]

const pth: Format = {
  name: '.pth',
  read: async path => {
    const source = await openPth(path)
    try {
      for (const name of source.tensors.keys()) await source.readFloat32(name)
    } finally {
      await source.close()
    }
  },
  source: () => readFile(oracleFile('ecg/ecgjepa_tiny_encoder.pth')),
  headerBytes: source => source.length,
}

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mutated-'))
})
afterAll(() => rm(root, { recursive: true }))

/** Tries random mutations of a file, beside the corpus of test/malformed; answers the errors' codes, and throws what is no error of ours or takes too long. */
async function survey({ read, source, headerBytes }: Format, seed: number): Promise<Map<string, number>> {
  const original = await source()
  const path = join(root, 'file')
  const outcomes = new Map<string, number>()
  const random = counterStream(seed, 0)
  for (let i = 0; i < mutations; i++) {
    await writeFile(path, mutated(original, headerBytes(original), random))
    const started = performance.now()
    const outcome = await read(path).then(
      () => 'read',
      (error: unknown) => {
        if (isHintedError(error)) return error.code
        throw error
      },
    )
    if (performance.now() - started > 1000) throw new Error(`mutation ${i} took ${performance.now() - started} ms`)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  return outcomes
}

/** Most that reading any of the damaged files may add to the process, in bytes: several times the largest file. */
const memoryLimit = 200e6

describe('damaged and forged files', () => {
  test.for(formats)(`end in an error with a code, or are read: ${mutations} files of $name`, async format => {
    const before = process.memoryUsage().rss
    const outcomes = await survey(format, 41)
    expect(Array.from(outcomes.values()).reduce((sum, count) => sum + count, 0)).toBe(mutations)
    expect(mutations - (outcomes.get('read') ?? 0)).toBeGreaterThan(mutations / 3)
    expect(process.memoryUsage().rss - before).toBeLessThan(memoryLimit)
  })

  test.skipIf(missingOracles)(
    `end in an error with a code, or are read: ${mutations} files of .pth${missingOracles ? `: ${missingOracles}` : ''}`,
    async () => {
      const before = process.memoryUsage().rss
      const outcomes = await survey(pth, 43)
      expect(Array.from(outcomes.values()).reduce((sum, count) => sum + count, 0)).toBe(mutations)
      expect(process.memoryUsage().rss - before).toBeLessThan(memoryLimit)
    },
  )
})
