import { cp, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defineDataset } from '../dataset/dataset.ts'
import { openDataset } from './open-dataset.ts'
import { findDataset, listDatasets } from '../datasets/registry.ts'
import { realFile, whySkipped } from '../shared.testing.ts'
import { encodeWfdb } from '../wfdb/write.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'qoq-datasets-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const leads = ['I', 'II', 'III', 'AVR', 'AVL', 'AVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6']

async function writeRecord(folder: string, record: string, { dx, seconds = 12 }: { dx: string; seconds?: number }) {
  const signals = leads.map((name, c) => ({
    name,
    gain: 1000,
    digital: Int16Array.from({ length: seconds * 500 }, (_, i) => (i % 500) + c),
  }))
  const { hea, dat } = encodeWfdb({ record, samplingRateHz: 500, signals, comments: [`Dx: ${dx}`, 'Age: 99'] })
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, `${record}.hea`), hea)
  await writeFile(path.join(folder, `${record}.dat`), dat)
}

async function writePicture(file: string, level: number) {
  await mkdir(path.dirname(file), { recursive: true })
  await sharp(new Uint8Array(8 * 6 * 3).fill(level), { raw: { width: 8, height: 6, channels: 3 } })
    .png()
    .toFile(file)
}

const coronahackIndex = (name: string) =>
  `,X_ray_image_name,Label,Dataset_type,Label_2_Virus_category,Label_1_Virus_category\n0,${name},Pnemonia,TRAIN,SARS,Virus\n1,b.jpeg,Pnemonia,TEST,,Stress-Smoking\n`

describe('openDataset on written layouts', () => {
  test('georgia: labels, lead names, 10 s, tally', async () => {
    const folder = path.join(root, 'ga', 'WFDB_Ga')
    await writeRecord(folder, 'E00002', { dx: '164889003,426177001,,164889003,' })
    await writeRecord(folder, 'E00001', { dx: '59118001', seconds: 6 })
    await writeRecord(folder, 'E00003', { dx: '999' })
    await writeRecord(folder, 'E04603', { dx: '426783006' })
    const { samples, tally } = await openDataset('georgia', { root: path.join(root, 'ga') })
    expect(tally).toEqual({ rows: 4, kept: 2, unlabelled: 1, excluded: 1, missing: 0, unreadable: 0 })
    expect(samples.map(({ id, answer }) => [id, answer])).toEqual([
      ['georgia/E00001', ['Conduction Delay']],
      ['georgia/E00002', ['Normal', 'A. Fib/Aflutter']],
    ])
    const recording = await samples[1]!.ecg!()
    expect(recording.leads).toEqual(['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'])
    expect(recording.signalMv.map(lead => lead.length)).toEqual(Array.from(leads, () => 5000))
    expect(recording.signalMv[2]![7]).toBeCloseTo(0.009, 7)
    expect((await samples[0]!.ecg!()).signalMv[0]!.length).toBe(3000)
  })

  test('ptb_xl: the PhysioNet packaging, and the Challenge packaging with the index beside it', async () => {
    const folder = path.join(root, 'ptb')
    const index =
      'ecg_id,patient_id,scp_codes,strat_fold,filename_hr\n' +
      `1,77.0,"{'NORM': 100.0, 'SR': 0.0}",9,records500/00000/00001_hr\n` +
      `2,78.0,"{'IMI': 15.0, 'LVH': 50.0, 'AFIB': 0.0}",10,records500/00000/00002_hr\n` +
      `3,79.0,"{'PACE': 0.0}",1,records500/00000/00003_hr\n` +
      `4,79.0,{},2,records500/00000/00004_hr\n`
    for (const id of [1, 2, 3]) await writeRecord(path.join(folder, 'records500/00000'), `0000${id}_hr`, { dx: '' })
    await writeFile(path.join(folder, 'ptbxl_database.csv'), index)
    const native = await openDataset('ptb_xl', { root: folder })
    expect(native.tally).toMatchObject({ rows: 4, kept: 3, unlabelled: 1 })
    expect(native.samples.map(({ answer, split, patientId }) => [answer, split, patientId])).toEqual([
      [['Normal'], 'valid', '77'],
      [['Hypertrophy', 'Myocardial Infarction', 'A. Fib/Aflutter'], 'test', '78'],
      [['Other'], 'train', '79'],
    ])
    await writeRecord(folder, 'HR00002', { dx: '164865005' })
    const challenge = await openDataset('ptb_xl', { root: folder })
    expect(challenge.samples.map(({ id, split, patientId }) => [id, split, patientId])).toEqual([
      ['ptb_xl/HR00002', 'test', '78'],
    ])
  })

  test('covid_19 and brain_tumor: the same file name in two folders is two samples', async () => {
    const folder = path.join(root, 'covid')
    for (const place of ['TrainData/Normal', 'TrainData/COVID-19', 'ValData/ViralPneumonia'])
      await writePicture(path.join(folder, place, '1.png'), 9)
    await writePicture(path.join(folder, 'TrainData/OversampledAugmentedCOVID-19/COVID-19/2.png'), 9)
    const { samples } = await openDataset('covid_19', { root: folder })
    expect(samples.map(({ id, answer, split }) => [id, answer[0], split])).toEqual([
      ['covid_19/TrainData/COVID-19/1.png', 'COVID-19', 'train'],
      ['covid_19/TrainData/Normal/1.png', 'Normal', 'train'],
      ['covid_19/ValData/ViralPneumonia/1.png', 'Viral Pneumonia', 'test'],
    ])
    expect(await samples[0]!.images!()).toEqual([{ width: 8, height: 6, data: new Uint8Array(144).fill(9) }])
  })

  test('coronahack: SARS is viral, stress-smoking is left out, a missing picture is an error with dataset, row and file', async () => {
    const folder = path.join(root, 'corona')
    await mkdir(folder)
    await writeFile(path.join(folder, 'Chest_xray_Corona_Metadata.csv'), coronahackIndex('a.jpeg'))
    await expect(openDataset('coronahack', { root: folder })).rejects.toMatchObject({
      code: 'DATA_FILE_MISSING',
      message:
        'Dataset coronahack, row Chest_xray_Corona_Metadata.csv:2: the file Coronahack-Chest-XRay-Dataset/Coronahack-Chest-XRay-Dataset/train/a.jpeg is missing.',
    })
    const skipped = await openDataset('coronahack', { root: folder, onError: 'skip' })
    expect(skipped.tally).toEqual({ rows: 2, kept: 0, unlabelled: 0, excluded: 1, missing: 1, unreadable: 0 })
    expect(skipped.problems.map(problem => problem.code)).toEqual(['DATA_FILE_MISSING'])
    await writePicture(path.join(folder, 'Coronahack-Chest-XRay-Dataset/Coronahack-Chest-XRay-Dataset/train/a.jpeg'), 3)
    const { samples } = await openDataset('coronahack', { root: folder })
    expect(samples.map(({ answer, split }) => [answer, split])).toEqual([[['Viral Pneumonia'], 'train']])
  })

  test('an index cannot name a file outside the folder', async () => {
    const folder = path.join(root, 'escape')
    await mkdir(folder)
    await writeFile(
      path.join(folder, 'Chest_xray_Corona_Metadata.csv'),
      coronahackIndex('../../../../../../etc/passwd'),
    )
    await expect(openDataset('coronahack', { root: folder })).rejects.toMatchObject({ code: 'DATA_PATH_UNSAFE' })
  })

  test('bcss: tiles in which one code fills half, cut from picture and mask alike', async () => {
    const folder = path.join(root, 'bcss')
    const name = 'TCGA-OL-A5D6-DX1_xmin1_ymin2_MPP-0.2500.png'
    await mkdir(path.join(folder, 'masks'), { recursive: true })
    await mkdir(path.join(folder, 'images'))
    // 900 x 512 pixels: code 2 in the left 600 columns, 0 (ignored) in the rest; the picture holds its column / 4.
    const codesOf = Uint8Array.from({ length: 900 * 512 }, (_, i) => (i % 900 < 600 ? 2 : 0))
    const levels = Uint8Array.from({ length: 900 * 512 * 3 }, (_, i) => Math.floor((Math.floor(i / 3) % 900) / 4))
    await sharp(codesOf, { raw: { width: 900, height: 512, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toFile(path.join(folder, 'masks', name))
    await sharp(levels, { raw: { width: 900, height: 512, channels: 3 } })
      .png()
      .toFile(path.join(folder, 'images', name))
    const { samples } = await openDataset('bcss', { root: folder })
    // The second tile starts at column 388 and is 41 % stroma; the left half of it, twice 256 pixels, is 83 % stroma.
    expect(samples.map(({ id, answer, split, patientId }) => [id.split('/').at(-1), answer, split, patientId])).toEqual(
      ['00000-00000', '00000-00388', '00256-00388'].map(tile => [tile, ['Stroma'], 'test', 'TCGA-OL-A5D6']),
    )
    const [patch] = await samples[0]!.images!()
    expect([patch!.width, patch!.height, patch!.data[511 * 3]]).toEqual([512, 512, 127])
    expect((await samples[0]!.mask!()).data.every(inside => inside === 1)).toBe(true)
  })

  test('a truncated signal file is found when the dataset is opened, an unreadable picture when it is decoded', async () => {
    const folder = path.join(root, 'broken')
    await writeRecord(path.join(folder, 'ga'), 'E00001', { dx: '426783006' })
    await truncate(path.join(folder, 'ga/E00001.dat'), 100)
    await expect(openDataset('georgia', { root: path.join(folder, 'ga') })).rejects.toMatchObject({
      code: 'DATA_FILE_TRUNCATED',
      message: 'Dataset georgia, row E00001.hea: the file E00001.dat is truncated, 100 of at least 144000 bytes.',
    })
    await writeFile(path.join(folder, 'ga/E00001.hea'), 'E00001 12 nonsense')
    await expect(openDataset('georgia', { root: path.join(folder, 'ga') })).rejects.toMatchObject({
      code: 'DATA_FILE_UNREADABLE',
    })
    await rm(path.join(folder, 'ga/E00001.dat'))
    await writePicture(path.join(folder, 'mri/Training/no_tumor/a.png'), 1)
    await truncate(path.join(folder, 'mri/Training/no_tumor/a.png'), 60)
    const { samples } = await openDataset('brain_tumor', { root: path.join(folder, 'mri') })
    const failure = await samples[0]!.images!().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'DATA_FILE_UNREADABLE' })
    expect(String(failure)).toContain('Dataset brain_tumor, row Training/no_tumor/a.png')
  })

  test.for([
    { name: 'an unknown dataset', id: 'georgja', options: { root: '.' }, want: 'DATA_DATASET_UNKNOWN' },
    { name: 'a folder without the dataset', id: 'georgia', options: { root: '/nowhere' }, want: 'DATA_ROOT_NOT_FOUND' },
    {
      name: 'shares above one',
      id: 'georgia',
      options: { root: '.', fractions: { valid: 0.9, test: 0.9 } },
      want: 'DATA_OPTION_INVALID',
    },
  ])('refuses $name', async ({ id, options, want }) => {
    await expect(openDataset(id, options)).rejects.toMatchObject({ code: want })
  })

  test('refuses labels that the definition does not list', async () => {
    const made = defineDataset({
      ...findDataset('brain_tumor'),
      rows: async () => [
        { key: 'a', place: 'a', patientId: 'a', labels: ['Cat'], media: { type: 'image', files: ['a.png'] } },
      ],
    })
    await expect(openDataset(made, { root: path.join(root, 'broken/mri') })).rejects.toMatchObject({
      code: 'DATA_LABEL_UNKNOWN',
    })
  })
})

describe('defineDataset', () => {
  test.for([
    { name: 'an id with blanks', change: { id: 'a b' } },
    { name: 'one label', change: { labels: ['A'] } },
    { name: 'labels that differ in case only', change: { labels: ['A', 'a'] } },
    { name: 'a label with a comma', change: { labels: ['A', 'B, C'] } },
    { name: 'no location', change: { locations: [] } },
    { name: 'a name of a label that there is not', change: { aliases: { Edema: ['Oedema'] } } },
    { name: 'a name that another label has', change: { aliases: { Other: ['MI'], 'Myocardial Infarction': ['mi'] } } },
    { name: 'a name that is a label', change: { aliases: { Other: ['normal'] } } },
    { name: 'a negative label that there is not', change: { negativeLabels: ['Fine'] } },
  ])('refuses $name', ({ change }) => {
    expect(() => defineDataset({ ...findDataset('georgia'), ...change })).toThrow(
      expect.objectContaining({ code: 'DATA_DEFINITION_INVALID' }),
    )
  })

  test('accepts every definition of the registry, each with its own id', () => {
    const ids = listDatasets().map(definition => defineDataset(definition).id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe(`openDataset on real files${whySkipped}`, () => {
  test.skipIf(whySkipped !== '')('ptb_xl, PhysioNet packaging: folds, patients, records', async () => {
    const { samples, tally } = await openDataset('ptb_xl', { root: realFile('ecg-ptbxl'), onError: 'skip' })
    expect(tally).toEqual({ rows: 6, kept: 2, unlabelled: 0, excluded: 0, missing: 4, unreadable: 0 })
    expect(samples.map(({ id, split, patientId, answer }) => [id, split, patientId, answer])).toEqual([
      ['ptb_xl/06000', 'test', '5028', ['Normal']],
      ['ptb_xl/06001', 'train', '12976', ['STTC']],
    ])
    expect((await samples[0]!.ecg!()).leads).toContain('aVR')
  })

  test.skipIf(whySkipped !== '')('a missing real record is reported, not replaced', async () => {
    const copy = path.join(root, 'real-ga')
    await cp(realFile('ecg-georgia/WFDB_Ga'), copy, { recursive: true })
    await rm(path.join(copy, 'E07500.mat'), { force: true })
    await expect(openDataset('georgia', { root: copy })).rejects.toMatchObject({ code: 'DATA_FILE_MISSING' })
    expect((await openDataset('georgia', { root: copy, onError: 'skip' })).tally).toMatchObject({
      kept: 10,
      missing: 1,
    })
  })
})
