import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { isHintedError } from '@qoq-med/errors'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { synthesise } from '../clinic/synthesise.ts'
import { damagedCopies } from '../malformed.testing.ts'
import { buildIndex } from './build-index.ts'
import { openIndex } from './sample-index.ts'

let folder: string
let bytes: Uint8Array
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-damaged-index-'))
  await synthesise({ dir: path.join(folder, 'clinic'), seed: 1, size: 12, domains: ['mri'] })
  const out = path.join(folder, 'x.parquet')
  await buildIndex('mini_clinic_mri', { root: path.join(folder, 'clinic'), out, workers: 0 })
  bytes = new Uint8Array(await readFile(out))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Reads every sample of an index; gives an error that is none of ours. */
async function surprise(copy: Uint8Array): Promise<unknown> {
  const file = path.join(folder, 'damaged.parquet')
  await writeFile(file, copy)
  try {
    const index = await openIndex(file, { root: path.join(folder, 'clinic') })
    for await (const { id } of index.samples()) expect(id).toContain('mini_clinic_mri/')
    return undefined
  } catch (problem) {
    return isHintedError(problem) ? undefined : problem
  }
}

/** The description at the end of the file, where sizes and offsets are, byte by byte. */
function damagedEnds(): Uint8Array[] {
  const end = Math.min(2400, bytes.length)
  return Array.from({ length: Math.ceil(end / 4) }, (_, i) => {
    const copy = bytes.slice()
    copy[bytes.length - 1 - i * 4] = [0x00, 0xff, 0x7f, 0x80][i % 4]!
    return copy
  })
}

test('a damaged index is read, or refused with an error of ours, and leaves no rejection behind', async () => {
  expect(await surprise(bytes)).toBeUndefined()
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  const copies = [...damagedCopies(bytes, { scattered: 400 }).map(copy => copy.bytes), ...damagedEnds()]
  expect(copies.length).toBeGreaterThan(900)
  const surprises: unknown[] = []
  for (const copy of copies) {
    const found = await surprise(copy)
    if (found !== undefined) surprises.push(found)
  }
  await new Promise(resolve => setTimeout(resolve, 20))
  process.off('unhandledRejection', note)
  expect([surprises, unhandled]).toEqual([[], []])
}, 60_000)
