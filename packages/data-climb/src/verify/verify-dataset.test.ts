import { cp, mkdtemp, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { synthesise } from '../clinic/synthesise.ts'
import { verifyDataset } from './verify-dataset.ts'

const id = 'mini_clinic_mri'
let folder: string
let clean: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-verify-'))
  clean = path.join(folder, 'clean')
  await synthesise({ dir: clean, seed: 5, size: 40, preset: 'balanced', domains: ['mri'] })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface IndexLine {
  readonly file: string
  readonly mask?: string
  readonly split: string
  readonly patientId: string
  readonly labels: readonly string[]
}

async function linesOf(root: string): Promise<IndexLine[]> {
  const text = await readFile(path.join(root, 'mri/index.jsonl'), 'utf8')
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as IndexLine) // lines of the generator
}

async function writeLines(root: string, lines: readonly IndexLine[]): Promise<void> {
  await writeFile(path.join(root, 'mri/index.jsonl'), lines.map(line => `${JSON.stringify(line)}\n`).join(''))
}

async function copy(name: string): Promise<string> {
  const root = path.join(folder, name)
  await cp(clean, root, { recursive: true })
  return root
}

describe('verifyDataset', () => {
  test('finds nothing in the mini clinic, counts every label and reports progress', async () => {
    const calls: [number, number][] = []
    const report = await verifyDataset(id, { root: clean, onProgress: (...call) => calls.push(call) })
    expect(report).toMatchObject({
      dataset: id,
      isClean: true,
      missing: [],
      undecodable: [],
      leakingPatients: [],
      leakingFiles: [],
      duplicates: [],
      contradictions: [],
    })
    const counted = Object.values(report.labelCounts).flatMap(counts => Object.values(counts))
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(40)
    expect(Object.keys(report.labelCounts.valid).length).toBe(Object.keys(report.labelCounts.train).length)
    expect(calls.at(-1)).toEqual([40, 40])
  })

  test('reports missing, empty and undecodable files without stopping', async () => {
    const root = await copy('broken')
    const [gone, empty, broken] = (await linesOf(root)) as [IndexLine, IndexLine, IndexLine] // forty lines
    await unlink(path.join(root, 'mri', gone.file))
    await truncate(path.join(root, 'mri', empty.file), 0)
    await truncate(path.join(root, 'mri', broken.file), 200)
    const report = await verifyDataset(id, { root })
    expect(report.missing.map(problem => problem.code).toSorted()).toEqual(['DATA_FILE_MISSING', 'DATA_FILE_TRUNCATED'])
    expect(report.undecodable.map(problem => problem.code)).toEqual(['DATA_FILE_UNREADABLE'])
    expect(report.undecodable[0]?.message).toContain(broken.file)
    expect(report.tally).toMatchObject({ rows: 40, kept: 38, missing: 1, unreadable: 1 })
    expect(report.isClean).toBe(false)
    expect((await verifyDataset(id, { root, decode: false })).undecodable).toEqual([])
  })

  test('reports a patient in two parts, a copy across parts, and a copy with another answer', async () => {
    const root = await copy('leaks')
    const lines = await linesOf(root)
    const train = lines.filter(line => line.split === 'train')
    const heldOut = lines.find(line => line.split === 'test')!
    const other = train.find(line => line.labels[0] !== train[0]!.labels[0] && line.patientId !== train[0]!.patientId)!
    await cp(path.join(root, 'mri', train[0]!.file), path.join(root, 'mri', heldOut.file))
    await cp(path.join(root, 'mri', train[0]!.file), path.join(root, 'mri', other.file))
    const spread = lines.map(line => (line === heldOut ? { ...line, patientId: train[1]!.patientId } : line))
    await writeLines(root, spread)
    const report = await verifyDataset(id, { root, decode: false })
    expect(report.leakingPatients.length).toBe(1)
    expect(report.leakingFiles.length).toBe(1)
    expect(report.leakingFiles[0]?.length).toBe(3)
    expect(report.contradictions.length).toBe(1)
    expect(report.isClean).toBe(false)
  })

  test('reports a mask that does not fit its picture', async () => {
    const root = await copy('mask')
    const masked = (await linesOf(root)).find(line => line.mask !== undefined)!
    const { default: sharp } = await import('sharp')
    await sharp({ create: { width: 5, height: 7, channels: 3, background: '#fff' } })
      .png()
      .toFile(path.join(root, 'mri', masked.mask!))
    const report = await verifyDataset(id, { root })
    expect(report.undecodable.map(problem => problem.message)).toEqual([expect.stringContaining('5 x 7 pixels')])
  })

  test('refuses a folder that holds no dataset', async () => {
    await expect(verifyDataset(id, { root: folder })).rejects.toMatchObject({ code: 'DATA_ROOT_NOT_FOUND' })
  })
})
