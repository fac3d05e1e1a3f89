import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { synthesise } from '../clinic/synthesise.ts'
import { openDataset } from '../open/open-dataset.ts'
import { writeJsonl } from '../sample/public-jsonl.ts'
import type { Sample } from '../sample/sample.ts'
import { buildIndex } from '../store/build-index.ts'
import { openSources, type SourceSpec } from './open-sources.ts'

let folder = ''
const samples: Record<'ct' | 'ecg', readonly Sample[]> = { ct: [], ecg: [] }
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'qoq-sources-'))
  await synthesise({ dir: path.join(folder, 'clinic'), seed: 3, size: 150, domains: ['ct', 'ecg'] })
  for (const domain of ['ct', 'ecg'] as const) {
    const dataset = `mini_clinic_${domain}`
    samples[domain] = (await openDataset(dataset, { root: path.join(folder, 'clinic') })).samples
    const out = path.join(folder, `${domain}.parquet`)
    await buildIndex(dataset, { root: path.join(folder, 'clinic'), out, workers: 0, pieceRows: 16 })
  }
  await writeJsonl(path.join(folder, 'qa.jsonl'), samples.ecg)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const ct: SourceSpec = { dataset: 'mini_clinic_ct', root: 'clinic' }
const ecg: SourceSpec = { index: 'ecg.parquet', root: 'clinic' }
const open = (...specs: SourceSpec[]) => openSources(specs, { baseFolder: folder })
/** Ids of nine samples of the ECGs. */
async function limited(seed: number): Promise<string[]> {
  const data = await openSources([{ ...ecg, limit: 9 }], { baseFolder: folder, seed })
  return (await data.read(places(data.length))).map(({ id }) => id)
}
const places = (length: number) => Array.from({ length }, (_, i) => i)

describe('openSources', () => {
  test('gives the samples of folders and of indexes alike, in the order of the sources', async () => {
    const data = await open(ct, ecg, { index: 'ct.parquet', root: 'clinic' })
    expect(data.length).toBe(2 * samples.ct.length + samples.ecg.length)
    const got = await data.read(places(data.length).toReversed())
    const want = [...samples.ct, ...samples.ecg, ...samples.ct].toReversed()
    expect(got.map(({ id }) => id)).toEqual(want.map(({ id }) => id))
    expect(got.map(sample => [sample.question, sample.reference(), sample.answer])).toEqual(
      want.map(sample => [sample.question, sample.reference(), sample.answer]),
    )
    expect((await got[0]!.images?.())?.[0]).toEqual((await want[0]!.images?.())?.[0])
    for (const [i, { dataset, split, domain, answer }] of want.toReversed().entries())
      expect(data.factsOf(i)).toEqual({ dataset, split, domain, answer })
  })

  test('knows an index by the fingerprint of its folder, and another choice by another', async () => {
    const fingerprints = await Promise.all(
      [
        [ct],
        [{ index: 'ct.parquet', root: 'clinic' }],
        [{ ...ct, limit: 5 }],
        [{ ...ct, split: 'test' as const }],
        [ecg],
      ].map(async specs => (await open(...specs)).fingerprint),
    )
    expect(fingerprints[0]).toBe(fingerprints[1])
    expect(new Set(fingerprints).size).toBe(4)
  })

  test('reads a public JSONL, whose paths go from the file', async () => {
    const data = await open({ jsonl: 'qa.jsonl', root: '.' })
    const got = await data.read(places(data.length))
    expect(got.map(({ question, answer, labels }) => [question, answer, labels])).toEqual(
      samples.ecg.map(({ question, answer, labels }) => [question, answer, labels]),
    )
    expect((await got[1]!.ecg?.())?.signalMv[0]).toEqual((await samples.ecg[1]!.ecg?.())?.signalMv[0])
    expect(new Set(got.map(({ split }) => split))).toEqual(new Set(['train']))
  })

  test.for([
    { name: 'a weight of 0', spec: { ...ct, weight: 0 } },
    { name: 'a limit of half a sample', spec: { ...ct, limit: 0.5 } },
  ])('refuses $name', async ({ spec }) => {
    await expect(open(spec)).rejects.toMatchObject({ code: 'DATA_OPTION_INVALID' })
  })
})

describe('a selection', () => {
  test('holds the samples of its splits and domains', async () => {
    const data = await open(ct, ecg)
    const chosen = data.select({ splits: ['train'], domains: ['ecg'] })
    const want = samples.ecg.filter(({ split }) => split === 'train')
    const got = await chosen.read(places(chosen.length))
    expect(got.map(({ id }) => id)).toEqual(want.map(({ id }) => id))
    expect([...data.select().domains].toSorted()).toEqual(['ct', 'ecg'])
    expect(data.select({ domains: ['mri'] }).length).toBe(0)
  })

  test('is drawn from without weights as one pool, each sample once in an epoch', async () => {
    const chosen = (await open(ct, ecg)).select()
    const drawn = chosen.draws(0, 2 * chosen.length, 7)
    for (const epoch of [drawn.slice(0, chosen.length), drawn.slice(chosen.length)])
      expect(epoch.toSorted((a, b) => a - b)).toEqual(places(chosen.length))
    expect(drawn.slice(0, chosen.length)).not.toEqual(drawn.slice(chosen.length))
  })

  test('gives the same draws from any place on, so that a resumed run repeats none and drops none', async () => {
    const chosen = (await open({ ...ct, weight: 2 }, { ...ecg, balanced: 'label' })).select({ splits: ['train'] })
    const whole = chosen.draws(0, 500, 7)
    for (const at of [0, 1, 37, 499]) expect(chosen.draws(at, 500 - at, 7)).toEqual(whole.slice(at))
  })

  test('gives each source its weight, whatever its size', async () => {
    const data = await open({ ...ct, weight: 1, limit: 7 }, { ...ecg, weight: 3 })
    const chosen = data.select()
    const drawn = chosen.draws(0, 400, 1).map(place => chosen.factsOf(place).domain)
    expect(drawn.filter(domain => domain === 'ct')).toHaveLength(100)
  })

  test('draws evenly from domains where it is balanced by them', async () => {
    const given = { samples: [...samples.ct.slice(0, 3), ...samples.ecg], balanced: 'domain' } as const
    const chosen = (await open(given)).select()
    const drawn = chosen.draws(0, 200, 1).map(place => chosen.factsOf(place).domain)
    expect(drawn.filter(domain => domain === 'ct')).toHaveLength(100)
  })

  test('draws evenly from labels where it is balanced by them, a sample counting for its rarest', async () => {
    const [one] = samples.ecg
    const labelled = (answer: string[], count: number): Sample[] =>
      Array.from({ length: count }, (_, i) => ({ ...one!, id: `own/${answer.join('+')}${i}`, answer }))
    const given = [...labelled(['A'], 80), ...labelled(['A', 'B'], 15), ...labelled(['B', 'C'], 5)]
    const chosen = (await open({ samples: given, balanced: 'label' })).select()
    const drawn = chosen.draws(0, 300, 1).map(place => chosen.factsOf(place).answer.join('+'))
    expect(['A', 'A+B', 'B+C'].map(answer => drawn.filter(of => of === answer).length)).toEqual([100, 100, 100])
  })

  test('takes a limit of samples from the whole source, the same for the same seed', async () => {
    const ids = await limited(1)
    expect(ids).toHaveLength(9)
    expect(await limited(1)).toEqual(ids)
    expect(await limited(2)).not.toEqual(ids)
    expect(ids).not.toEqual(samples.ecg.slice(0, 9).map(({ id }) => id))
  })

  test('that is empty has nothing to draw', async () => {
    const empty = (await open(ct)).select({ domains: ['mri'] })
    expect(() => empty.draws(0, 1, 1)).toThrow(expect.objectContaining({ code: 'DATA_OPTION_INVALID' }))
  })
})
