import { cp, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDataset } from '../open/open-dataset.ts'
import { readJsonl, writeJsonl } from '../sample/public-jsonl.ts'
import { writeMimicIv } from './mimic-iv.testing.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'qoq-mimic-'))
  await writeMimicIv(path.join(root, 'all'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const answers = async (id: string) => {
  const { samples } = await openDataset(id, { root: path.join(root, 'all') })
  return Object.fromEntries(samples.map(sample => [sample.id.replace(`${id}/`, ''), sample.answer[0]?.slice(0, 8)]))
}

async function splitsOf(id: string) {
  return (await openDataset(id, { root: path.join(root, 'all') })).samples.map(sample => sample.split)
}

describe('mimic_iv_los', () => {
  test('cuts stays at 4, 8 and 12 days, and leaves out admissions without media in the window', async () => {
    expect(await answers('mimic_iv_los')).toEqual({
      '100': 'A: 0-4 d',
      '101': 'B: 5-8 d',
      '102': 'C: 9-12 ',
      '103': 'D: more ',
      '104': 'A: 0-4 d',
      '105': 'A: 0-4 d',
      '106': 'A: 0-4 d',
      '107': 'A: 0-4 d',
      '111': 'A: 0-4 d',
    })
    const { tally } = await openDataset('mimic_iv_los', { root: path.join(root, 'all') })
    expect(tally).toEqual({ rows: 12, kept: 9, unlabelled: 0, excluded: 3, missing: 0, unreadable: 0 })
  })

  test('writes what has a time in the window, and nothing of the outcome', async () => {
    const { samples } = await openDataset('mimic_iv_los', { root: path.join(root, 'all') })
    expect(samples[0]?.text).toBe(
      [
        'Patient: age 61, female, ew emer.',
        'Vital signs: Heart Rate 88 bpm',
        'Laboratory: Creatinine 1.1 to 1.5 mg/dL; Specimen Type ART.',
        'Treatments: Invasive Ventilation',
        'Medications: Aspirin image labels',
      ].join('\n'),
    )
    expect(samples[0]?.question.startsWith(`${samples[0].text}\n\n`)).toBe(true)
    expect(samples[0]?.question).toMatch(/length of stay|long is the hospital stay/)
    for (const { text } of samples) expect(text).not.toMatch(/DIED|HOSPICE|HOME|2150/)
  })

  test('keeps fluids and units apart, and cuts rare values before those of the clinical list', async () => {
    const { samples } = await openDataset('mimic_iv_los', { root: path.join(root, 'all') })
    const text = samples.find(({ id }) => id.endsWith('/103'))?.text ?? ''
    const values = /Laboratory: (.*)/.exec(text)?.[1]?.split('; ') ?? []
    expect(values.slice(0, 3)).toEqual([
      'Glucose 180 to 110 (min 95, max 240) mg/dL',
      'Troponin T 0.01 ng/mL',
      'pH 7.31 units',
    ])
    expect(values.length).toBe(48)
    // Behind sixty rare ones by the alphabet: what is not of blood, and the second unit.
    expect(text).not.toMatch(/NEG|5\.5/)
    expect(values[3]).toBe('A rare value 100 1 U/L')
  })

  test('parses the tables once for both tasks, and again when they change', async () => {
    const copy = path.join(root, 'twice')
    await cp(path.join(root, 'all'), copy, { recursive: true })
    const table = path.join(copy, 'multimodal/mimiciv/hosp/labevents.csv.gz')
    const time = new Date(1_700_000_000_000)
    await utimes(table, time, time)
    const los = await openDataset('mimic_iv_los', { root: copy })
    // Bytes that are no table, of the same size and time: only who reads again finds them.
    const { size } = await stat(table)
    await writeFile(table, new Uint8Array(size))
    await utimes(table, time, time)
    const ihm = await openDataset('mimic_iv_48ihm', { root: copy })
    expect(ihm.samples.map(({ text }) => text)).toEqual(los.samples.map(({ text }) => text))
    await utimes(table, new Date(), new Date())
    await expect(openDataset('mimic_iv_los', { root: copy })).rejects.toMatchObject({ code: 'DATA_INDEX_INVALID' })
  })

  test('shows the first study and the first ECG of the window', async () => {
    const { samples } = await openDataset('mimic_iv_los', { root: path.join(root, 'all') })
    expect(samples[1]?.modality).toEqual(['image', 'ecg', 'text'])
    expect(samples[1]?.files.map(file => path.basename(file))).toEqual(['101a.jpg', '101b.jpg', '4101.hea'])
    expect((await samples[1]!.images!()).length).toBe(2)
    expect((await samples[1]!.ecg!()).leads.length).toBe(12)
  })

  test('keeps pictures and recordings apart in the public JSONL', async () => {
    const { samples } = await openDataset('mimic_iv_los', { root: path.join(root, 'all') })
    const file = path.join(root, 'los.jsonl')
    await writeJsonl(file, samples.slice(0, 1))
    for await (const row of readJsonl(file)) {
      expect([row.images.length, row.timeSeries.length]).toEqual([2, 1])
      expect(row.problem.startsWith('<image>\n<image>\nPatient')).toBe(true)
    }
  })
})

describe('mimic_iv_48ihm', () => {
  test('is positive for death or hospice within 48 hours, by time, by discharge or by date', async () => {
    expect(await answers('mimic_iv_48ihm')).toEqual({
      '100': 'negative',
      '101': 'negative',
      '102': 'negative',
      '103': 'negative',
      '104': 'positive',
      '105': 'positive',
      '106': 'negative',
      '107': 'negative',
      '111': 'positive',
    })
  })

  test('puts a subject into the same part as the other task does', async () => {
    const [mortality, stay] = await Promise.all(['mimic_iv_48ihm', 'mimic_iv_los'].map(splitsOf))
    expect(mortality).toEqual(stay)
  })

  test('reads the hospital module alone', async () => {
    const { samples } = await openDataset('mimic_iv_48ihm', { root: path.join(root, 'all/multimodal/mimiciv') })
    expect(samples.length).toBe(11)
    expect(samples[0]?.modality).toEqual(['text'])
    expect(samples[0]?.files).toEqual([])
  })

  test.for([
    { name: 'a table without a column', file: 'hosp/patients.csv.gz', content: gzipSync('subject_id\n1\n') },
    { name: 'a table that is no gzip file', file: 'hosp/labevents.csv.gz', content: 'hello' },
    {
      name: 'a table that breaks off',
      file: 'icu/chartevents.csv.gz',
      content: gzipSync(`subject_id\n${'1\n'.repeat(999)}`).subarray(0, 30),
    },
  ])('refuses $name', async ({ file, content }) => {
    const broken = path.join(root, file.replaceAll('/', '-'))
    await cp(path.join(root, 'all/multimodal/mimiciv'), broken, { recursive: true })
    await writeFile(path.join(broken, file), content)
    await expect(openDataset('mimic_iv_48ihm', { root: broken })).rejects.toMatchObject({ code: 'DATA_INDEX_INVALID' })
  })
})
