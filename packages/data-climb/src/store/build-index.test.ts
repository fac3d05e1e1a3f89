import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { synthesise } from '../clinic/synthesise.ts'
import { openDataset } from '../open/open-dataset.ts'
import { optionalPackage } from '../files/optional-package.ts'
import { writeJsonl } from '../sample/public-jsonl.ts'
import type { Sample } from '../sample/sample.ts'
import { buildIndex } from './build-index.ts'
import { queryIndex } from './query-index.ts'
import { openIndex } from './sample-index.ts'

const dataset = 'mini_clinic_ct'
let folder = ''
let root = ''
let samples: readonly Sample[] = []
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-store-'))
  root = path.join(folder, 'clinic')
  await synthesise({ dir: root, seed: 9, size: 150, domains: ['ct'] })
  samples = (await openDataset(dataset, { root })).samples
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const outOf = (name: string) => path.join(folder, name)

async function hashOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}

describe('buildIndex', () => {
  test('writes the same bytes whatever the number of threads and the size of a piece', async () => {
    const hashes: string[][] = []
    for (const [i, { workers, pieceRows }] of [
      { workers: 0, pieceRows: 1024 },
      { workers: 2, pieceRows: 7 },
      { workers: 1, pieceRows: 50 },
    ].entries()) {
      const { files, tally } = await buildIndex(dataset, { root, out: outOf(`same${i}.parquet`), workers, pieceRows })
      expect(tally).toMatchObject({ rows: 150, kept: 150 })
      hashes.push(await Promise.all(files.map(hashOf)))
    }
    expect(new Set(hashes.map(hash => hash.join())).size).toBe(1)
    expect(await readdir(folder)).not.toContain('same0.parquet.building')
  })

  test('writes the public JSONL as writeJsonl does', async () => {
    await writeJsonl(outOf('want.jsonl'), samples)
    await buildIndex(dataset, { root, out: outOf('got.jsonl'), workers: 0 })
    expect(await readFile(outOf('got.jsonl'), 'utf8')).toBe(await readFile(outOf('want.jsonl'), 'utf8'))
    expect(await readdir(folder)).not.toContain('got.parquet')
  })

  test('goes on after it was killed, with the same bytes and the pieces it had', async () => {
    const options = { root, check: 'decode', pieceRows: 10 } as const
    const fresh = await buildIndex(dataset, { ...options, out: outOf('fresh.parquet'), workers: 1 })
    const out = outOf('killed.parquet')
    await killMidway({ ...options, out, workers: 2 })
    const pieces = (await readdir(`${out}.building`)).filter(name => name.endsWith('.jsonl'))
    expect(pieces.length).toBeGreaterThan(0)
    expect(pieces.length).toBeLessThan(15)
    const timeOf = (name: string) => statSync(path.join(`${out}.building`, name)).mtimeMs
    const before = pieces.map(timeOf)
    const after: number[][] = []
    const resumed = await buildIndex(dataset, {
      ...options,
      out,
      workers: 2,
      onProgress: () => after.push(pieces.map(timeOf)),
    })
    expect(after.at(-1)).toEqual(before)
    expect(await Promise.all(resumed.files.map(hashOf))).toEqual(await Promise.all(fresh.files.map(hashOf)))
    expect(resumed.tally).toEqual(fresh.tally)
  })

  test('makes a piece again when its files have changed', async () => {
    const out = outOf('changed.jsonl')
    const controller = new AbortController()
    const options = { root, out, check: 'hash', workers: 0, pieceRows: 50 } as const
    await expect(
      buildIndex(dataset, { ...options, signal: controller.signal, onProgress: () => controller.abort() }),
    ).rejects.toThrow(/abort/i)
    const file = samples[0]?.files[0] ?? ''
    const bytes = await readFile(file)
    await writeFile(file, '')
    try {
      await expect(buildIndex(dataset, options)).rejects.toMatchObject({ code: 'DATA_FILE_TRUNCATED' })
    } finally {
      await writeFile(file, bytes)
    }
  })

  test('shares rows among shards in order, and opens them as one', async () => {
    const { files } = await buildIndex(dataset, { root, out: outOf('s.parquet'), shards: 4, workers: 0 })
    const parquet = files.filter(file => file.endsWith('.parquet'))
    expect(parquet.map(file => path.basename(file))).toEqual([0, 1, 2, 3].map(i => `s-0000${i}-of-00004.parquet`))
    const index = await openIndex(parquet, { root })
    const ids: string[] = []
    for await (const sample of index.samples()) ids.push(sample.id)
    expect(ids).toEqual(samples.map(({ id }) => id))
    const sizes = await Promise.all(parquet.map(async file => (await openIndex(file, { root })).length))
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
  })

  test('leaves broken rows out and counts them where asked', async () => {
    const broken = path.join(folder, 'broken')
    await synthesise({ dir: broken, seed: 9, size: 12, domains: ['ct'] })
    const [name = ''] = await readdir(path.join(broken, 'ct/volumes'))
    await rm(path.join(broken, 'ct/volumes', name))
    const options = { root: broken, out: outOf('broken.jsonl'), workers: 0 }
    await expect(buildIndex(dataset, options)).rejects.toMatchObject({ code: 'DATA_FILE_MISSING' })
    const { tally, problems } = await buildIndex(dataset, { ...options, onError: 'skip' })
    expect(tally).toMatchObject({ rows: 12, kept: 11, missing: 1 })
    expect(problems).toMatchObject([{ code: 'DATA_FILE_MISSING' }])
  })

  test.for([
    { name: 'an output of another kind', options: { out: 'x.csv' } },
    { name: 'no shards', options: { out: 'x.parquet', shards: 0 } },
  ])('refuses $name', async ({ options }) => {
    await expect(buildIndex(dataset, { root, ...options })).rejects.toMatchObject({ code: 'DATA_OPTION_INVALID' })
  })
})

describe('openIndex', () => {
  test('gives the samples of openDataset, with their media', async () => {
    const out = outOf('open.parquet')
    await buildIndex(dataset, { root, out, check: 'hash', workers: 0 })
    const index = await openIndex(out, { root })
    expect(index.length).toBe(samples.length)
    for (const row of [149, 0, 77]) {
      const [got, want] = [await index.at(row), samples[row]!]
      expect(JSON.stringify(got)).toBe(JSON.stringify(want))
      expect(got.reference()).toBe(want.reference())
      expect((await got.images?.())?.[0]).toEqual((await want.images?.())?.[0])
    }
    await expect(index.at(150)).rejects.toMatchObject({ code: 'DATA_OPTION_INVALID' })
  })

  test.for([
    { name: 'a missing file', file: 'none.parquet', code: 'DATA_INPUT_MISSING' },
    { name: 'a file that is no index', file: 'noindex.parquet', code: 'DATA_INDEX_INVALID' },
  ])('refuses $name', async ({ file, code }) => {
    await writeFile(outOf('noindex.parquet'), 'PAR1 and nothing else PAR1')
    await expect(openIndex(outOf(file), { root })).rejects.toMatchObject({ code })
  })
})

describe('queryIndex', () => {
  test('answers what counting the samples gives', async () => {
    const out = outOf('query.parquet')
    await buildIndex(dataset, { root, out, workers: 0 })
    const rows = await queryIndex(
      [out],
      `SELECT split, count(*)::INT AS n FROM samples WHERE list_contains(answer, 'No Hemorrhage') GROUP BY split ORDER BY split`,
    )
    const normal = samples.filter(({ answer }) => answer.includes('No Hemorrhage'))
    const want = ['test', 'train', 'valid'].map(split => ({
      split,
      n: normal.filter(one => one.split === split).length,
    }))
    expect(rows).toEqual(want.filter(({ n }) => n > 0))
    await expect(queryIndex([out], 'SELECT nothing FROM samples')).rejects.toMatchObject({ code: 'DATA_QUERY_INVALID' })
  })

  test('reads no other file', async () => {
    const secret = outOf('secret.csv')
    await writeFile(secret, 'a\n1\n')
    const asked = queryIndex([outOf('query.parquet')], `SELECT * FROM read_csv('${secret}')`)
    await expect(asked).rejects.toMatchObject({ code: 'DATA_QUERY_INVALID' })
  })
})

describe('optionalPackage', () => {
  test('says how to get a package that is missing', async () => {
    const absent = 'no-such-package-here'
    await expect(optionalPackage(absent, 'A test', () => import(absent))).rejects.toMatchObject({
      code: 'DATA_PACKAGE_MISSING',
      hint: `Install it with \`pnpm add ${absent}\`.`,
    })
  })
})

/** Runs a build in a process of its own and kills it after the first piece. */
async function killMidway(options: object): Promise<void> {
  const script = outOf('kill-me.mts')
  const module = fileURLToPath(new URL('build-index.ts', import.meta.url))
  await writeFile(
    script,
    `import { buildIndex } from ${JSON.stringify(module)}
     await buildIndex(${JSON.stringify(dataset)}, { ...${JSON.stringify(options)}, onProgress: () => process.stdout.write('piece') })`,
  )
  const child = spawn(process.execPath, ['--conditions=@qoq-med/source', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout.once('data', () => child.kill('SIGKILL'))
  await new Promise(resolve => child.once('close', resolve))
}
