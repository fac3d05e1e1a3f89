import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isHintedError } from '@qoq-med/errors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSafetensorsSource } from '../../src/checkpoint/checkpoint-files.ts'
import { openPth } from '../../src/checkpoint/pth-source.ts'
import type { TensorSource } from '../../src/checkpoint/tensor-source.ts'
import { loadFrozenModel } from '../../src/folder/model-weights.ts'
import { ggufCorpus } from './gguf-corpus.ts'
import { jsonCorpus, type MalformedDocument } from './json-corpus.ts'
import type { MalformedFile } from './malformed-file.ts'
import { pthCorpus } from './pth-corpus.ts'
import { safetensorsCorpus } from './safetensors-corpus.ts'

const fixture = fileURLToPath(new URL('../../fixtures/qwen2_text_sharded_bf16', import.meta.url))

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'malformed-'))
})
afterAll(() => rm(root, { recursive: true }))

/** Reads everything that a file of tensors has. */
async function readAll(opening: Promise<TensorSource>): Promise<void> {
  const source = await opening
  try {
    for (const name of source.tensors.keys()) await source.readFloat32(name)
  } finally {
    await source.close()
  }
}

async function readFileAs(suffix: string, { bytes }: MalformedFile, read: (path: string) => Promise<unknown>) {
  const path = join(root, `file.${suffix}`)
  await writeFile(path, bytes)
  return read(path)
}

async function readFolderWith({ document, bytes }: MalformedDocument): Promise<void> {
  const folder = join(root, 'folder')
  await cp(fixture, folder, { recursive: true })
  await writeFile(join(folder, document), bytes)
  try {
    await loadFrozenModel(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

interface Format {
  readonly name: string
  readonly least: number
  readonly codes: readonly string[]
  readonly files: () => Promise<readonly { name: string; read: () => Promise<unknown> }[]>
}

const formats: readonly Format[] = [
  {
    name: 'safetensors',
    least: 100,
    codes: ['MODEL_SAFETENSORS_INVALID', 'MODEL_DTYPE_UNSUPPORTED'],
    files: async () =>
      safetensorsCorpus().map(file => ({
        name: file.name,
        read: () => readFileAs('safetensors', file, path => readAll(openSafetensorsSource(path))),
      })),
  },
  {
    name: 'GGUF',
    least: 150,
    codes: [
      'MODEL_GGUF_INVALID',
      'MODEL_CONFIG_INVALID',
      'MODEL_CONFIG_UNSUPPORTED',
      'MODEL_TOKENIZER_INVALID',
      'MODEL_TENSOR_MISSING',
      'MODEL_TENSOR_UNEXPECTED',
      'MODEL_TENSOR_SHAPE',
    ],
    files: async () =>
      (await ggufCorpus()).map(file => ({
        name: file.name,
        read: () => readFileAs('gguf', file, path => loadFrozenModel(path)),
      })),
  },
  {
    name: '.pth',
    least: 140,
    codes: ['MODEL_PTH_INVALID'],
    files: async () =>
      pthCorpus().map(file => ({
        name: file.name,
        read: () => readFileAs('pth', file, path => readAll(openPth(path))),
      })),
  },
  {
    name: 'documents of a model folder',
    least: 150,
    codes: [
      'MODEL_FOLDER_INVALID',
      'MODEL_CONFIG_INVALID',
      'MODEL_CONFIG_UNSUPPORTED',
      'MODEL_TOKENIZER_INVALID',
      'MODEL_TENSOR_MISSING',
      'MODEL_TENSOR_UNEXPECTED',
      'MODEL_TENSOR_SHAPE',
      'ENCODERS_CONFIG',
    ],
    files: async () => (await jsonCorpus(fixture)).map(file => ({ name: file.name, read: () => readFolderWith(file) })),
  },
]

/** A refusal may take this long, in milliseconds of this process's time, so that a busy machine does not count. */
const timeLimitMs = 1000
/** What refusing all of a format's files may add to the most memory that the process ever had, in bytes. */
const memoryLimit = 100e6

/** What is wrong with how a file was refused; undefined when all is well. */
async function complaint(read: () => Promise<unknown>, codes: readonly string[]): Promise<string | undefined> {
  const before = process.cpuUsage()
  const outcome = await read().then(
    () => 'was read',
    (error: unknown) => error,
  )
  const { user, system } = process.cpuUsage(before)
  if ((user + system) / 1000 > timeLimitMs) return `took ${(user + system) / 1000} ms`
  if (!isHintedError(outcome)) return typeof outcome === 'string' ? outcome : `threw ${String(outcome)}`
  if (!codes.includes(outcome.code)) return `gave ${outcome.code}`
  return outcome.message.includes('\n') ? 'needs more than one line' : undefined
}

function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024
}

describe('damaged and forged checkpoints', () => {
  test.for(formats)(
    'each of at least $least files of $name ends in its error, within a second and without memory',
    { timeout: 120_000 },
    async ({ files, least, codes }) => {
      const corpus = await files()
      expect(corpus.length).toBeGreaterThanOrEqual(least)
      expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length)
      const before = peakBytes()
      const complaints: string[] = []
      for (const { name, read } of corpus) {
        const found = await complaint(read, codes)
        if (found !== undefined) complaints.push(`${name}: ${found}`)
      }
      expect(complaints).toEqual([])
      expect(peakBytes() - before).toBeLessThan(memoryLimit)
    },
  )
})
