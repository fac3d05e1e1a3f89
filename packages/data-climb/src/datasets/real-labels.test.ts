import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDataset } from '../open-dataset.ts'
import type { Sample } from '../sample.ts'
import { realFile, whySkipped } from '../shared.testing.ts'

type Truth = Readonly<Record<string, unknown>>

const truth = (whySkipped === '' ? JSON.parse(readFileSync(realFile('truth/labels.json'), 'utf8')) : {}) as Record<
  string,
  { items?: Truth }
> // labels.json

interface Case {
  readonly id: string
  readonly folder: string
  /** Rows, kept, unlabelled, excluded, missing. */
  readonly tally: readonly [number, number, number, number, number]
  /** The item of labels.json that a sample belongs to. */
  readonly itemOf: (sample: Sample) => string
  /** The label that an item's value stands for. */
  readonly labelOf: (value: never) => string | readonly string[]
}

const stem = (sample: Sample) => path.basename(sample.id).replace(/\.\w+$/, '')
const name = (sample: Sample) => path.basename(sample.id)
const under = (folder: string) => (sample: Sample) => sample.id.replace(/^[^/]+/, folder)
const grades = ['No DR', 'Mild DR', 'Moderate DR', 'Severe DR', 'Proliferative DR']
const lesions = { MEL: 'Melanoma', NV: 'Nevus', BCC: 'Basal Cell Carcinoma', AKIEC: 'AKIEC', OTHER: 'Other' }
const tissues = {
  colon_aca: 'Colon adenocarcinomas',
  colon_n: 'Benign colon',
  lung_aca: 'Lung adenocarcinomas',
  lung_scc: 'Lung squamous cell carcinomas',
  lung_n: 'Benign lung',
}
const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

const cases: readonly Case[] = [
  {
    id: 'chexpert',
    folder: 'cxr-chexpert',
    tally: [10, 10, 0, 0, 0],
    itemOf: sample => sample.id.replace('chexpert', 'CheXpert-v1.0'),
    labelOf: (value: readonly string[]) => value,
  },
  {
    id: 'ham10000',
    folder: 'derm-ham10000',
    tally: [26, 26, 0, 0, 0],
    itemOf: stem,
    labelOf: (value: keyof typeof lesions) => lesions[value],
  },
  {
    id: 'pad_ufes_20',
    folder: 'derm-pad-ufes-20',
    tally: [6, 6, 0, 0, 0],
    itemOf: name,
    labelOf: (value: keyof typeof lesions) => lesions[value],
  },
  { id: 'isic_2020', folder: 'derm-isic2020', tally: [8, 8, 0, 0, 0], itemOf: stem, labelOf: capital },
  {
    id: 'aptos_2019',
    folder: 'fundus-aptos',
    tally: [10, 10, 0, 0, 0],
    itemOf: stem,
    labelOf: (value: number) => grades[value]!,
  },
  {
    id: 'messidor_2',
    folder: 'fundus-messidor2',
    tally: [7, 7, 0, 0, 0],
    itemOf: name,
    labelOf: (value: number) => grades[value]!,
  },
  {
    id: 'jichi',
    folder: 'fundus-jichi',
    tally: [6, 6, 0, 0, 0],
    itemOf: name,
    labelOf: (value: number) => ['No DR', 'Simple DR', 'Pre-proliferative DR', 'Proliferative DR'][value]!,
  },
  { id: 'kits23', folder: 'ct-kits23', tally: [5, 3, 1, 0, 1], itemOf: name, labelOf: (value: string) => value },
  { id: 'inspect', folder: 'ct-inspect', tally: [6, 5, 0, 0, 1], itemOf: name, labelOf: (value: string) => value },
  {
    id: 'hemorrhage',
    folder: 'ct-hemorrhage',
    tally: [10, 10, 0, 0, 0],
    itemOf: sample => sample.id.replace(/^hemorrhage\/(\d+)\/0*/, '$1/'),
    labelOf: (value: string) => value,
  },
  { id: 'rspect', folder: 'ct-rspect', tally: [11, 11, 0, 0, 0], itemOf: name, labelOf: (value: string) => value },
  {
    id: 'busi',
    folder: 'us-busi',
    tally: [18, 18, 0, 0, 0],
    itemOf: under('us-busi/Dataset_BUSI_with_GT'),
    labelOf: capital,
  },
  {
    id: 'covid_blues',
    folder: 'us-covid-blues',
    tally: [12, 12, 0, 0, 0],
    itemOf: under('us-covid-blues/lus_videos'),
    labelOf: (value: number) => (value === 1 ? 'Has COVID' : 'No COVID'),
  },
  {
    id: 'covid_us',
    folder: 'us-covid-us',
    tally: [6, 5, 1, 0, 0],
    itemOf: under('us-covid-us/videos'),
    labelOf: (value: string) => (value === 'covid' ? 'COVID' : capital(value)),
  },
  {
    id: 'brain_tumor_2',
    folder: 'mri-brain-tumor-2',
    tally: [15, 15, 0, 0, 0],
    itemOf: under('mri-brain-tumor-2'),
    labelOf: (value: string) => (value === 'yes' ? 'Has Tumor' : 'No Tumor'),
  },
  {
    id: 'lc25000',
    folder: 'path-lc25000',
    tally: [20, 20, 0, 0, 0],
    itemOf: under('path-lc25000'),
    labelOf: (value: keyof typeof tissues) => tissues[value],
  },
  {
    id: 'vindr_mammo',
    folder: 'mammo-vindr',
    tally: [6, 6, 0, 0, 0],
    itemOf: name,
    labelOf: (value: readonly [string, string]) => value[0],
  },
]

describe(`labels of the real layouts against truth/labels.json${whySkipped}`, () => {
  test.skipIf(whySkipped !== '').for(cases)('$id', async ({ id, folder, tally, itemOf, labelOf }) => {
    const opened = await openDataset(id, { root: realFile(folder), onError: 'skip' })
    const { rows, kept, unlabelled, excluded, missing, unreadable } = opened.tally
    expect([rows, kept, unlabelled, excluded, missing, unreadable]).toEqual([...tally, 0])
    const items = truth[folder]!.items!
    for (const sample of opened.samples)
      expect([sample.id, sample.answer]).toEqual([sample.id, [labelOf(items[itemOf(sample)] as never)].flat()])
    const patients = new Map<string, Set<string>>()
    for (const { patientId, split } of opened.samples)
      patients.set(patientId, (patients.get(patientId) ?? new Set()).add(split))
    // The made-up rows of VinDr-Mammo put one exam into both official parts; the real ones do not.
    expect([...patients.values()].every(parts => parts.size === 1)).toBe(id !== 'vindr_mammo')
    const [first] = opened.samples
    const isVideo = first!.files[0]!.endsWith('.mp4')
    const pictures = isVideo ? [] : await first!.images!()
    expect(pictures.length).toBe(isVideo ? 0 : first!.modality.includes('video') ? 4 : first!.files.length)
  })

  test.skipIf(whySkipped !== '')('mimic_cxr: gzipped indexes, paths from the three ids, official parts', async () => {
    const { samples, tally } = await openDataset('mimic_cxr', { root: realFile('cxr-mimic') })
    expect(samples.map(({ split, patientId }) => [split, patientId])).toEqual([
      ['train', '99990001'],
      ['train', '99990002'],
      ['valid', '99990003'],
      ['test', '99990004'],
    ])
    expect(samples[0]!.answer).toEqual(['No Finding'])
    expect(samples[1]!.answer).toEqual(['Pneumonia'])
    expect(tally.kept).toBe(4)
    expect((await samples[0]!.images!()).length).toBe(1)
  })

  test.skipIf(whySkipped !== '')('vindr_cxr: pictures and labels are joined by id, MONOCHROME1 is read', async () => {
    const { samples } = await openDataset('vindr_cxr', { root: realFile('cxr-vindr') })
    expect(samples.map(({ id, answer }) => [id.split('/').at(-1)!.slice(0, 6), answer[0]])).toContainEqual([
      '445004',
      'No finding',
    ])
    expect(samples.map(({ id, answer }) => [id.split('/').at(-1)!.slice(0, 6), answer[0]])).toContainEqual([
      '535f17',
      'Pneumonia',
    ])
    for (const sample of samples) expect((await sample.images!()).length).toBe(1)
  })

  test.skipIf(whySkipped !== '')(
    'cbis_ddsm: one row per picture, the highest assessment, files found through the NBIA table',
    async () => {
      const { samples } = await openDataset('cbis_ddsm', { root: realFile('mammo-cbis'), onError: 'skip' })
      const expected = new Map(
        Object.entries(truth['mammo-cbis']!.items!).map(([file, grade]) => [
          file.split('/')[0]!,
          `BI-RADS ${String(grade)}`,
        ]),
      )
      expect(samples.length).toBe(expected.size)
      for (const { id, answer } of samples) expect(answer).toEqual([expected.get(id.replace('cbis_ddsm/', ''))])
      expect((await samples[0]!.images!())[0]!.width).toBeGreaterThan(10)
    },
  )

  test.skipIf(whySkipped !== '')(
    'busi and hemorrhage: masks have the size of their picture, and those of lesions mark something',
    async () => {
      for (const [id, folder] of [
        ['busi', 'us-busi'],
        ['hemorrhage', 'ct-hemorrhage'],
      ] as const) {
        const { samples } = await openDataset(id, { root: realFile(folder) })
        const masked = samples.filter(sample => sample.mask !== undefined)
        expect(masked.length).toBeGreaterThan(0)
        for (const sample of masked) {
          const [picture] = await sample.images!()
          const mask = await sample.mask!()
          expect([mask.width, mask.height]).toEqual([picture!.width, picture!.height])
          // The haemorrhage masks of the samples are black stand-ins.
          expect(mask.data.includes(1)).toBe(id === 'busi')
        }
      }
    },
  )
})

interface EcgTruth {
  readonly snomed: readonly number[]
  readonly climb_7bit_from_header: Readonly<Record<string, 0 | 1>>
}

const classOfFlag: Readonly<Record<string, string>> = {
  normal: 'Normal',
  cd: 'Conduction Delay',
  hyp: 'Hypertrophy',
  mi: 'Myocardial Infarction',
  sttc: 'STTC',
  afib: 'A. Fib/Aflutter',
  other: 'Other',
}

/** Chapman and CPSC records whose classes differ from the public loader's mapping, with the reason. */
const differing: Readonly<Record<string, { readonly ours: readonly string[]; readonly reason: string }>> = {
  JS20000: {
    ours: ['Normal', 'Conduction Delay', 'STTC', 'Other'],
    reason: 'ST changes (55930002) are in the table of PTB-XL and Georgia, but not in that of Chapman',
  },
  JS20008: {
    ours: ['Normal', 'Other'],
    reason: 'sinus arrhythmia (427393009) is in the table of PTB-XL and Georgia, but not in that of Chapman',
  },
  JS20014: {
    ours: ['Normal', 'Conduction Delay', 'Hypertrophy', 'STTC', 'Other'],
    reason: 'ST changes (55930002), as in JS20000',
  },
}

describe(`Chapman and CPSC against the public mapping${whySkipped}`, () => {
  const records = Object.entries((truth['ecg'] ?? {}) as unknown as Record<string, EcgTruth>)

  test.skipIf(whySkipped !== '').for([
    { id: 'chapman_shaoxing', folder: 'ecg-chapman/WFDB_ChapmanShaoxing' },
    { id: 'cpsc', folder: 'ecg-cpsc/WFDB_CPSC2018' },
  ])('$id', async ({ id, folder }) => {
    const { samples } = await openDataset(id, { root: realFile(folder) })
    const got = new Map(samples.map(sample => [sample.id, [...sample.answer]]))
    const expected = records
      .filter(([file]) => file.startsWith(folder))
      .map(([file, { climb_7bit_from_header: flags }]) => {
        const key = path.basename(file, '.hea')
        const theirs = Object.keys(flags)
          .filter(flag => flags[flag] === 1)
          .map(flag => classOfFlag[flag]!)
        return [`${id}/${key}`, new Set(differing[key]?.ours ?? theirs)] as const
      })
    expect(expected.map(([sample]) => [sample, new Set(got.get(sample))])).toEqual(expected)
  })
})
