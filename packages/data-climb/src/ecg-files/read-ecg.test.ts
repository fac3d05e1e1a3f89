import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { isHintedError } from '@qoq-med/errors'
import { describe, expect, test } from 'vitest'
import { inspectFile } from '../inspect/inspect.ts'
import { damagedCopies } from '../malformed.testing.ts'
import { encodeWfdb } from '../wfdb/write.ts'
import { defineDataset } from '../dataset/dataset.ts'
import { openDataset } from '../open/open-dataset.ts'
import { findDataset } from '../datasets/registry.ts'
import { ecgFormatOf } from './ecg-format.ts'
import { readEcg, readStoredEcg } from './read-ecg.ts'

const folder = fileURLToPath(new URL('../../fixtures/ecg-files', import.meta.url))

/** What a reference library reads, in millivolts; see the generating script. */
interface ExpectedLead {
  readonly first: readonly number[]
  readonly last: number
  readonly sum: number
  readonly min: number
  readonly max: number
}
interface ExpectedFile {
  readonly format: string
  readonly reference: string
  readonly samplingRateHz: number
  readonly samples: number
  readonly leads: Readonly<Record<string, ExpectedLead>>
}

const { files } = JSON.parse(readFileSync(path.join(folder, 'expected.json'), 'utf8')) as {
  files: Readonly<Record<string, ExpectedFile>>
} // expected.json

const readText = (xml: string) => readEcg({ name: 'x.xml', bytes: Buffer.from(xml) })
const bytesOf = (name: string) => new Uint8Array(readFileSync(path.join(folder, name)))

describe('files in the formats of hospitals, as reference libraries read them', () => {
  test('every file of the folder has its values', () => {
    expect(readdirSync(folder).toSorted()).toEqual([...Object.keys(files), 'expected.json'].toSorted())
  })

  test.for(Object.entries(files))('%s', async ([name, want]) => {
    const { format } = await readStoredEcg(path.join(folder, name))
    expect(format).toBe(want.format)
    const { leads, samplingRateHz, signalMv } = await readEcg(path.join(folder, name))
    expect(samplingRateHz).toBe(want.samplingRateHz)
    expect(leads.slice(0, Object.keys(want.leads).length)).toEqual(Object.keys(want.leads))
    expect(leads.length).toBe(12)
    for (const [lead, values] of Object.entries(want.leads)) {
      const got = Array.from(signalMv[leads.indexOf(lead)]!)
      expect(got.length).toBe(want.samples)
      // Float32 of values below 8 mV: 5e-7 each, and their sum.
      values.first.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 6))
      expect(got.at(-1)).toBeCloseTo(values.last, 6)
      expect(Math.max(...got)).toBeCloseTo(values.max, 6)
      expect(Math.min(...got)).toBeCloseTo(values.min, 6)
      expect(got.reduce((sum, value) => sum + value, 0)).toBeCloseTo(values.sum, 4)
    }
  })

  test.for(Object.keys(files))('%s is the same in memory, whatever it is called', async name => {
    const fromDisk = await readEcg(path.join(folder, name))
    expect(await readEcg({ name: 'upload.bin', bytes: bytesOf(name) })).toEqual(fromDisk)
  })

  test.for(Object.entries(files))('%s is inspected', async ([name, want]) => {
    const report = await inspectFile(path.join(folder, name))
    expect(report).toMatchObject({
      format: want.format,
      shape: [want.samples, Object.keys(want.leads).length],
      channels: Object.keys(want.leads),
      fs: want.samplingRateHz,
    })
    expect(report.sha256Physical).toMatch(/^[0-9a-f]{64}$/)
  })

  test('leads that are missing are computed from I and II', async () => {
    const { leads, signalMv, warnings } = await readEcg(path.join(folder, 'muse.xml'))
    const at = (lead: string) => signalMv[leads.indexOf(lead)]![75]!
    expect(leads.slice(8)).toEqual(['III', 'aVR', 'aVL', 'aVF'])
    expect(at('III')).toBeCloseTo(at('II') - at('I'), 6)
    expect(at('aVR')).toBeCloseTo(-(at('I') + at('II')) / 2, 6)
    expect(at('aVL')).toBeCloseTo(at('I') - at('II') / 2, 6)
    expect(at('aVF')).toBeCloseTo(at('II') - at('I') / 2, 6)
    expect(warnings).toContain('III, aVR, aVL, aVF were computed from I and II')
  })

  test('a recording is cut to the first seconds', async () => {
    const { signalMv } = await readEcg(path.join(folder, 'twelve.dcm'), { maxSeconds: 0.1 })
    expect(signalMv.map(lead => lead.length)).toEqual(Array(12).fill(50))
  })

  test('a group that is left out is named', async () => {
    const { warnings } = await readEcg(path.join(folder, 'deflated-median-first.dcm'))
    expect(warnings).toContain('1 other groups were left out')
  })
})

describe('a WFDB record', () => {
  const signals = [{ name: 'I', gain: 1000, digital: Int16Array.of(0, 500, -500) }]
  const { hea, dat } = encodeWfdb({ record: 'r', samplingRateHz: 500, signals })

  test('is read from memory with its signal file', async () => {
    const recording = await readEcg([
      { name: 'up/r.hea', bytes: Buffer.from(hea) },
      { name: 'up/r.dat', bytes: dat },
    ])
    expect([recording.leads, Array.from(recording.signalMv[0]!)]).toEqual([['I'], [0, 0.5, -0.5]])
  })

  test('without its signal file is an error', async () => {
    const alone = readEcg({ name: 'r.hea', bytes: Buffer.from(hea) })
    await expect(alone).rejects.toMatchObject({ code: 'WFDB_FILE_MISSING' })
  })
})

const xml = (text: string) => Buffer.from(text)

test('a sample of a dataset may be any of these files', async () => {
  const definition = defineDataset({
    ...findDataset('georgia'),
    id: 'own_ecgs',
    locations: [{ folder: '.', marker: 'muse.xml' }],
    rows: async () => [
      {
        key: 'a',
        place: 'a',
        patientId: 'a',
        labels: ['Normal'],
        media: { type: 'ecg', header: 'muse.xml', maxSeconds: 10 },
      },
    ],
  })
  const { samples } = await openDataset(definition, { root: folder })
  expect((await samples[0]!.ecg!()).leads.length).toBe(12)
})

/** An aECG in which the first text of a kind is another. */
const changed = (pattern: RegExp, text: string) =>
  xml(readFileSync(path.join(folder, 'twelve.aecg.xml'), 'utf8').replace(pattern, text))

describe('what is no ECG', () => {
  test.for<{ name: string; bytes: Uint8Array; code: string }>([
    { name: 'nothing', bytes: new Uint8Array(), code: 'DATA_FORMAT_UNKNOWN' },
    { name: 'a text', bytes: xml('hello, world'), code: 'DATA_FORMAT_UNKNOWN' },
    { name: 'another XML', bytes: xml('<svg xmlns="x"/>'), code: 'DATA_FORMAT_UNKNOWN' },
    { name: 'an aECG without leads', bytes: xml('<AnnotatedECG/>'), code: 'DATA_ECG_INVALID' },
    { name: 'a MUSE file without a rhythm', bytes: xml('<RestingECG/>'), code: 'DATA_ECG_INVALID' },
    {
      name: 'a Sierra file of another version',
      bytes: xml(
        '<restingecgdata><documentinfo><documentversion>2.0</documentversion></documentinfo></restingecgdata>',
      ),
      code: 'DATA_ECG_UNSUPPORTED',
    },
    { name: 'XML that is cut off', bytes: xml('<AnnotatedECG><id>'), code: 'DATA_ECG_INVALID' },
    {
      name: 'XML that defines entities',
      bytes: xml('<!DOCTYPE AnnotatedECG [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><AnnotatedECG>&b;</AnnotatedECG>'),
      code: 'DATA_ECG_INVALID',
    },
    {
      name: 'XML with an entity of its own',
      bytes: xml('<AnnotatedECG>&secret;</AnnotatedECG>'),
      code: 'DATA_ECG_INVALID',
    },
    { name: 'XML without end', bytes: xml(`<AnnotatedECG>${'<a>'.repeat(200)}`), code: 'DATA_ECG_INVALID' },
    {
      name: 'XML of more bytes than any ECG has',
      bytes: Buffer.concat([xml('<AnnotatedECG>'), Buffer.alloc(64 * 2 ** 20, ' ')]),
      code: 'DATA_ECG_INVALID',
    },
    { name: 'a lead of words', bytes: changed(/<digits>/, '<digits>x '), code: 'DATA_ECG_INVALID' },
    { name: 'a lead without samples', bytes: changed(/<digits>[^<]*/, '<digits> '), code: 'DATA_ECG_INVALID' },
    {
      name: 'XML with a million elements',
      bytes: xml(`<AnnotatedECG>${'<a/>'.repeat(500_001)}</AnnotatedECG>`),
      code: 'DATA_ECG_INVALID',
    },
  ])('$name is refused', async ({ bytes, code }) => {
    await expect(readEcg({ name: 'x', bytes })).rejects.toMatchObject({ code })
  })

  test('several files without a header are refused', async () => {
    const file = { name: 'a.xml', bytes: bytesOf('muse.xml') }
    await expect(readEcg([file, { ...file, name: 'b.xml' }])).rejects.toMatchObject({ code: 'DATA_FORMAT_UNKNOWN' })
    await expect(readEcg('/nowhere/ecg.xml')).rejects.toMatchObject({ code: 'DATA_INPUT_MISSING' })
  })

  test('leads in sets of their own that begin together are read as one', async () => {
    const text = readFileSync(path.join(folder, 'twelve.aecg.xml'), 'utf8')
    const time = /<component><sequence><code code="TIME_.*?<\/component>/.exec(text)![0]
    const apart = (head: string) =>
      text.replaceAll(
        /<component>(?=<sequence><code code="MDC_ECG_LEAD_V)/g,
        `</sequenceSet></component><component><sequenceSet>${time.replace(/<head[^>]*>/, head)}<component>`,
      )
    const together = await readText(text)
    expect(await readText(apart('$&'))).toEqual(together)
    const { leads, warnings } = await readText(apart('<head value="20200101120002.500"/>'))
    expect(leads).toEqual(together.leads.slice(0, 6))
    expect(warnings).toContain('another set of sequences was left out')
  })

  test('base64 without its padding is read', async () => {
    const text = readFileSync(path.join(folder, 'muse.xml'), 'utf8')
    const bare = text.replaceAll(/=+(?=\s*<)/g, '')
    expect(bare).not.toBe(text)
    expect(await readText(bare)).toEqual(await readText(text))
  })

  test('errors hold nothing of the patient', async () => {
    const text = readFileSync(path.join(folder, 'muse.xml'), 'utf8')
    const named = text.replaceAll('<LeadID>I<', '<LeadID>JANE DOE<').replaceAll('MICROVOLTS', 'JANE DOE')
    const problem: unknown = await readEcg({ name: 'x.xml', bytes: Buffer.from(named) }).catch(
      (error: unknown) => error,
    )
    expect(isHintedError(problem)).toBe(true)
    expect(JSON.stringify(problem)).not.toContain('JANE')
  })
})

describe('damaged files', () => {
  /** Memory that copies of some kilobytes may cost altogether. */
  const maxGrowthBytes = 512 * 2 ** 20

  test.for(Object.keys(files).filter(name => !name.startsWith('implicit') && name !== 'huffman-first.scp'))(
    '%s: read, or refused with an error of ours, in 900 mutants',
    { timeout: 60_000 },
    async name => {
      const bytes = bytesOf(name)
      const copies = damagedCopies(bytes, { headerBytes: 400, scattered: 320 })
      expect(copies.length).toBeGreaterThan(900)
      const before = process.memoryUsage().rss
      const surprises: string[] = []
      for (const copy of copies)
        await readEcg({ name, bytes: copy.bytes }).catch((problem: unknown) => {
          if (!isHintedError(problem)) surprises.push(`${copy.how}: ${String(problem)}`)
        })
      expect(surprises).toEqual([])
      expect(process.memoryUsage().rss - before).toBeLessThan(maxGrowthBytes)
    },
  )
})

test('a file is told by its first bytes', () => {
  for (const [name, { format }] of Object.entries(files).filter(([, file]) => file.format !== 'dicom-ecg'))
    expect(ecgFormatOf(bytesOf(name).subarray(0, 4096))).toBe(format)
  expect(ecgFormatOf(bytesOf('twelve.dcm'))).toBeUndefined()
})
