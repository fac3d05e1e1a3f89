import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDataset } from '../open/open-dataset.ts'
import { listDatasets } from '../datasets/registry.ts'
import type { BoxXyxy, PixelMask, Sample } from '../sample/sample.ts'
import type { Domain } from '../sample/sample.ts'
import { clinicDomains } from './clinic-domains.ts'
import { planDomain, shareAmongDomains } from './clinic-plan.ts'
import { boxOfMask } from './mask-geometry.ts'
import { synthesise } from './synthesise.ts'

let root: string
let dir: string
const samplesOf = new Map<string, readonly Sample[]>()
const size = 30 * clinicDomains.length

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'qoq-clinic-'))
  dir = path.join(root, 'clinic')
  await synthesise({ dir, seed: 42, size, preset: 'balanced' })
  for (const { domain } of clinicDomains)
    samplesOf.set(domain, (await openDataset(`mini_clinic_${domain}`, { root: dir })).samples)
})
afterAll(() => rm(root, { recursive: true, force: true }))

async function digest(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile())
    .map(entry => path.join(entry.parentPath, entry.name))
    .toSorted((a, b) => a.localeCompare(b))
  const hash = createHash('sha256')
  for (const name of names) hash.update(path.relative(folder, name)).update(await readFile(name))
  return hash.digest('hex')
}

describe('synthesise', () => {
  test('gives the same bytes for the same options, and others for another seed', async () => {
    const small = { size: 2 * clinicDomains.length }
    await synthesise({ dir: path.join(root, 'a'), seed: 1, ...small })
    await synthesise({ dir: path.join(root, 'b'), seed: 1, ...small })
    await synthesise({ dir: path.join(root, 'c'), seed: 2, ...small })
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(name => digest(path.join(root, name))))
    expect(a).toBe(b)
    expect(c).not.toBe(a)
  })

  test('a patient looks the same however large the clinic is', async () => {
    await synthesise({ dir: path.join(root, 'few'), seed: 42, size: 5, domains: ['mri'] })
    const name = 'mri/images/mri-0001-1.png'
    expect(await readFile(path.join(root, 'few', name))).toEqual(await readFile(path.join(dir, name)))
  })

  test('says that it is simulated in the folder, the manifest and every header', async () => {
    expect(await readFile(path.join(dir, 'README.txt'), 'utf8')).toContain('Simulated')
    expect(JSON.parse(await readFile(path.join(dir, 'clinic.json'), 'utf8'))).toMatchObject({
      simulated: true,
      seed: 42,
      size,
    })
    const [sample] = samplesOf.get('ecg')!
    expect(await readFile(sample!.files[0]!, 'utf8')).toContain('# Simulated')
    for (const { domain } of clinicDomains)
      expect(listDatasets().find(({ id }) => id === `mini_clinic_${domain}`)!.title).toContain('simulated')
  })

  test.for([
    { name: 'a size below one per domain', options: { size: 1 }, want: 'DATA_OPTION_INVALID' },
    { name: 'a seed that is no whole number', options: { seed: 0.5 }, want: 'DATA_OPTION_INVALID' },
    {
      name: 'a domain that is not made',
      options: { domains: ['heart' as Domain] as const },
      want: 'DATA_OPTION_INVALID',
    },
    { name: 'no domain', options: { domains: [] }, want: 'DATA_OPTION_INVALID' },
  ])('refuses $name', async ({ options, want }) => {
    await expect(synthesise({ dir: path.join(root, 'x'), seed: 1, size: 50, ...options })).rejects.toMatchObject({
      code: want,
    })
  })

  test('leaves a folder alone that holds something else, and replaces a clinic', async () => {
    const foreign = path.join(root, 'foreign')
    await cp(path.join(dir, 'mri/masks'), foreign, { recursive: true })
    await expect(synthesise({ dir: foreign, seed: 1, size: 20 })).rejects.toMatchObject({ code: 'DATA_OUTPUT_EXISTS' })
    expect((await readdir(foreign)).length).toBeGreaterThan(0)
    await synthesise({ dir: path.join(root, 'a'), seed: 1, size: 3, domains: ['mri'] })
    expect((await readdir(path.join(root, 'a'))).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'clinic.json',
      'mri',
      'README.txt',
    ])
  })
})

describe('the mini clinic, opened', () => {
  test.for(clinicDomains)(
    '$domain: every label occurs, in train and in test, and no patient is in two parts',
    ({ domain, labels }) => {
      const samples = samplesOf.get(domain)!
      expect(samples.length).toBe(size / clinicDomains.length)
      expect(new Set(samples.flatMap(sample => sample.answer))).toEqual(new Set(labels))
      const parts = new Map<string, Set<string>>()
      for (const { patientId, split } of samples) parts.set(patientId, (parts.get(patientId) ?? new Set()).add(split))
      expect([...parts.values()].every(part => part.size === 1)).toBe(true)
      expect(new Set(samples.map(sample => sample.split))).toEqual(new Set(['train', 'valid', 'test']))
    },
  )

  test.for(clinicDomains.filter(({ type }) => type !== 'ecg'))(
    '$domain: boxes are those of the masks, visible, and in the reference',
    async ({ domain, labels }) => {
      for (const sample of samplesOf.get(domain)!) {
        const images = await sample.images!()
        expect(images.every(({ width, height }) => width === 112 && height === 112)).toBe(true)
        const mask = await sample.mask?.()
        expect(unionBox(sample.boxes ?? [])).toEqual(mask && boxOfMask(mask))
        const listed = JSON.parse(/```json\n(.*)\n```/.exec(sample.reference())![1]!) as {
          bbox_2d: number[]
          label: string
        }[] // written by us
        expect(listed.map(({ bbox_2d: [x1, y1, x2, y2] }) => ({ x1, y1, x2, y2 }))).toEqual(sample.boxes ?? [])
        expect(listed.every(({ label }) => labels.includes(label) && sample.answer.includes(label))).toBe(true)
        expect(sample.boxes?.every(({ x1, y1, x2, y2 }) => x2 - x1 >= 3 && y2 - y1 >= 3) ?? true).toBe(true)
        expect(mask === undefined || contrastAtEdge(images[0]!.data, mask) > 10).toBe(true)
      }
    },
  )

  test('ecg: records read back as written, with the codes of their classes', async () => {
    for (const sample of samplesOf.get('ecg')!) {
      const { leads, samplingRateHz, signalMv } = await sample.ecg!()
      expect([leads.length, samplingRateHz, signalMv[11]!.length]).toEqual([12, 500, 5000])
      expect(sample.question).toContain('12-lead ECG')
      expect(sample.reference()).toContain('There is ')
    }
  })

  test('a broken index is an error', async () => {
    const broken = path.join(root, 'broken')
    await cp(path.join(dir, 'mri'), path.join(broken, 'mri'), { recursive: true })
    await writeFile(path.join(broken, 'mri/index.jsonl'), '{"key": 1}\n')
    await expect(openDataset('mini_clinic_mri', { root: broken })).rejects.toMatchObject({ code: 'DATA_INDEX_INVALID' })
  })
})

function unionBox(boxes: readonly BoxXyxy[]): BoxXyxy | undefined {
  if (boxes.length === 0) return undefined
  const [x1, y1] = [Math.min(...boxes.map(box => box.x1)), Math.min(...boxes.map(box => box.y1))]
  return { x1, y1, x2: Math.max(...boxes.map(box => box.x2)), y2: Math.max(...boxes.map(box => box.y2)) }
}

/**
 * Largest difference, over colours and directions, of the mean level in a mask and in the part of a three-pixel border
 * around it that lies in that direction. Means leave the noise out; directions matter where a finding touches bone.
 */
function contrastAtEdge(data: Uint8Array, mask: PixelMask): number {
  const near = (x: number, y: number) => {
    for (let v = Math.max(0, y - 3); v <= Math.min(mask.height - 1, y + 3); v++)
      for (let u = Math.max(0, x - 3); u <= Math.min(mask.width - 1, x + 3); u++)
        if (mask.data[v * mask.width + u] === 1) return true
    return false
  }
  const pixels = Array.from(mask.data, (value, i) => ({
    i,
    x: i % mask.width,
    y: Math.floor(i / mask.width),
    isInside: value === 1,
  }))
  const inside = pixels.filter(pixel => pixel.isInside)
  const [cx, cy] = [
    inside.reduce((sum, { x }) => sum + x, 0) / inside.length,
    inside.reduce((sum, { y }) => sum + y, 0) / inside.length,
  ]
  const border = pixels.filter(({ x, y, isInside }) => !isInside && near(x, y))
  const sectors = Map.groupBy(border, ({ x, y }) => Math.round((Math.atan2(y - cy, x - cx) / Math.PI) * 4))
  const mean = (some: typeof pixels, c: number) => some.reduce((sum, { i }) => sum + data[i * 3 + c]!, 0) / some.length
  return Math.max(
    ...[0, 1, 2].flatMap(c => [...sectors.values()].map(sector => Math.abs(mean(inside, c) - mean(sector, c)))),
  )
}

describe('the plan', () => {
  test('shares sum up to the size, follow the imbalance, and give every domain something', () => {
    for (const total of [3, 7, 50, 333]) {
      const imbalanced = shareAmongDomains(Math.max(total, clinicDomains.length), clinicDomains, 'imbalanced')
      expect(imbalanced.reduce((sum, count) => sum + count, 0)).toBe(Math.max(total, clinicDomains.length))
      expect(Math.min(...imbalanced)).toBeGreaterThanOrEqual(1)
    }
    const [ecg = 0, chest = 0] = shareAmongDomains(1000, clinicDomains, 'imbalanced')
    expect(chest).toBeGreaterThan(2 * ecg)
    expect(new Set(shareAmongDomains(10 * clinicDomains.length, clinicDomains, 'balanced'))).toEqual(new Set([10]))
  })

  test('answers keep their frequencies and patients their parts', () => {
    const views = planDomain(clinicDomains[0]!, 2000, 1)
    const patients = new Map(views.map(view => [view.patientId, view]))
    const normal = [...patients.values()].filter(view => view.answer.join() === 'Normal').length / patients.size
    expect(normal).toBeCloseTo(6 / 26, 2)
    const held = [...patients.values()].filter(view => view.split === 'test').length / patients.size
    expect(held).toBeCloseTo(0.2, 1)
  })
})
