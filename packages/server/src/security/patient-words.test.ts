import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { encodeDicom } from '@qoq-med/data-climb'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createServer, type ServerOptions } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'

const fixtures = path.resolve(import.meta.dirname, '../../../data-climb/fixtures/ecg-files')
const base64 = (bytes: string | Uint8Array) => Buffer.from(bytes as Uint8Array).toString('base64') // or a text
const known: string[] = []

/** A word that says who a patient is; each is another. */
function canary(): string {
  const word = `Zq${(known.length + 1).toString().padStart(3, '0')}xKwMuster`
  known.push(word)
  return word
}

/** A DICOM picture whose person, identifiers, dates and places are canaries, as explicit little-endian elements before the pixels. */
function namedDicom(): Buffer {
  const bytes = Buffer.from(
    encodeDicom({
      rows: 8,
      columns: 8,
      pixels: new Uint16Array(64),
      bitsStored: 12,
      modality: 'DX',
      sopInstanceUid: '1.2.3',
    }),
  )
  return withElements(bytes, [
    [0x0008, 0x0080, 'LO'],
    [0x0008, 0x0081, 'ST'],
    [0x0008, 0x0090, 'PN'],
    [0x0008, 0x1010, 'SH'],
    [0x0008, 0x1030, 'LO'],
    [0x0008, 0x103e, 'LO'],
    [0x0008, 0x1048, 'PN'],
    [0x0008, 0x1050, 'PN'],
    [0x0008, 0x1070, 'PN'],
    [0x0010, 0x0010, 'PN'],
    [0x0010, 0x0020, 'LO'],
    [0x0010, 0x1000, 'LO'],
    [0x0010, 0x1001, 'PN'],
    [0x0010, 0x1005, 'PN'],
    [0x0010, 0x1040, 'LO'],
    [0x0010, 0x1060, 'PN'],
    [0x0010, 0x2154, 'SH'],
    [0x0010, 0x2160, 'SH'],
    [0x0010, 0x21b0, 'LT'],
    [0x0010, 0x4000, 'LT'],
    [0x0020, 0x0010, 'SH'],
    [0x0020, 0x4000, 'LT'],
  ])
}

/** Puts elements where they belong: elements of a data set stand in the order of their tags. */
function withElements(file: Buffer, elements: readonly (readonly [number, number, string])[]): Buffer {
  const meta = 144 + file.readUInt32LE(140) // preamble, prefix and group length element, which says the length of the rest
  const parts: { tag: number; bytes: Buffer }[] = []
  for (let at = meta; at < file.length;) {
    const [group, element, vr] = [
      file.readUInt16LE(at),
      file.readUInt16LE(at + 2),
      file.toString('latin1', at + 4, at + 6),
    ]
    const isLong = ['OB', 'OW', 'SQ', 'UN', 'UT'].includes(vr)
    const end = at + (isLong ? 12 + file.readUInt32LE(at + 8) : 8 + file.readUInt16LE(at + 6))
    parts.push({ tag: group * 65_536 + element, bytes: file.subarray(at, end) })
    at = end
  }
  for (const [group, element, vr] of elements) {
    const value = Buffer.from(canary().padEnd(14, ' '))
    const head = Buffer.alloc(8)
    head.writeUInt16LE(group, 0)
    head.writeUInt16LE(element, 2)
    head.write(vr, 4, 'latin1')
    head.writeUInt16LE(value.length, 6)
    const tag = group * 65_536 + element
    parts.splice(0, parts.length, ...parts.filter(part => part.tag !== tag), {
      tag,
      bytes: Buffer.concat([head, value]),
    })
  }
  const sorted = parts.toSorted((a, b) => a.tag - b.tag).map(({ bytes }) => bytes)
  return Buffer.concat([file.subarray(0, meta), ...sorted])
}

const wfdb = () => ({
  header: [
    `rec 1 500 4 0`,
    `rec.dat 16 1000(0)/mV 16 0 0 0 0 I`,
    ...['name', 'patient id', 'physician', 'hospital', 'address', 'diagnosis'].map(key => `# ${key}: ${canary()}`),
  ].join('\n'),
  signal: Buffer.from(Int16Array.of(0, 1, 2, 3).buffer),
})

const muse = () =>
  readFileSync(path.join(fixtures, 'muse.xml'), 'utf8').replace(
    '<PatientID>0</PatientID>',
    ['PatientID', 'PatientLastName', 'PatientFirstName', 'DateofBirth', 'PatientAddress', 'ReferringMDLastName']
      .map(name => `<${name}>${canary()}</${name}>`)
      .join(''),
  )

const aecg = () =>
  readFileSync(path.join(fixtures, 'twelve.aecg.xml'), 'utf8')
    .replace('</id>', '</id>')
    .replace(
      '<component><series>',
      `<componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject><id extension="${canary()}"/><subjectDemographicPerson><name>${canary()}</name></subjectDemographicPerson></trialSubject></subject></subjectAssignment></componentOf></timepointEvent></componentOf><component><series>`,
    )

const csv = () => `# patient ${canary()}, ${canary()}\ntime,I,II\n0,0.1,0.2\n0.002,0.1,0.2\n`

interface Sent {
  readonly url: string
  readonly payload: object | string
  readonly options?: Partial<ServerOptions>
  readonly headers?: Record<string, string>
}

const chat = (content: unknown, more: object = {}) => ({ messages: [{ role: 'user', content }], ...more })
const file = (name: string, bytes: string | Uint8Array) => ({ name, data: base64(bytes) })

const cut = (bytes: Buffer | string) => Buffer.from(bytes as string).subarray(0, 400) // or bytes

const diagnose = (files: object[], more: object = {}): Sent => ({
  url: '/v1/diagnose',
  payload: { files, labels: ['A', 'B'], ...more },
})

/** Requests that are answered and requests that fail, at every place where a client may write of a patient. */
function requests(): Sent[] {
  const { header, signal } = wfdb()
  const broken = new Error(`the policy failed at ${canary()}`)
  const good = fakePolicy({ words: ['<think>x</think>\\boxed{A}'] })
  return [
    { url: '/v1/chat/completions', payload: chat(canary()) },
    { url: '/v1/chat/completions', payload: chat(canary(), { stream: true }) },
    { url: '/v1/chat/completions', payload: chat(canary()), options: { policy: fakePolicy({ failure: broken }) } },
    {
      url: '/v1/chat/completions',
      payload: chat(canary(), { stream: true }),
      options: { policy: fakePolicy({ failure: broken }) },
    },
    { url: '/v1/chat/completions', payload: chat(canary()), options: { policy: fakePolicy({ isMute: true }) } },
    { url: '/v1/chat/completions', payload: chat(canary(), { [canary()]: canary() }) },
    { url: '/v1/chat/completions', payload: chat(canary(), { model: canary() }) },
    { url: '/v1/chat/completions', payload: chat(canary(), { user: canary(), metadata: { [canary()]: canary() } }) },
    { url: '/v1/chat/completions', payload: chat(canary(), { temperature: canary() }) },
    { url: '/v1/chat/completions', payload: chat([{ type: canary(), text: canary() }]) },
    {
      url: '/v1/chat/completions',
      payload: chat([{ type: 'image_url', image_url: { url: `https://${canary()}.example/${canary()}` } }]),
    },
    {
      url: '/v1/chat/completions',
      payload: chat([{ type: 'input_ecg', input_ecg: { fs: 500, units: 'mV', leads: { [canary()]: [0] } } }]),
    },
    {
      url: '/v1/chat/completions',
      payload: chat([{ type: 'input_ecg', input_ecg: { fs: 500, units: canary(), leads: { I: [canary()] } } }]),
    },
    { url: '/v1/chat/completions', payload: `{"messages": "${canary()}` },
    {
      url: '/v1/chat/completions',
      payload: chat('x'),
      headers: { 'user-agent': canary(), 'x-patient': canary(), authorization: `Bearer ${canary()}` },
    },
    { url: `/v1/${canary()}?patient=${canary()}`, payload: {} },
    {
      url: `/v1/diagnose?name=${canary()}`,
      payload: { text: canary(), labels: ['A', 'B'] },
      options: { policy: good },
    },
    { url: '/v1/diagnose', payload: { text: canary(), question: canary() } },
    { url: '/v1/diagnose', payload: { text: canary(), dataset: canary() } },
    { url: '/v1/diagnose', payload: { text: canary(), labels: [`${canary()}{`] } },
    diagnose([file(`${canary()}.dcm`, namedDicom())]),
    diagnose([file(`${canary()}.dcm`, cut(namedDicom()))]),
    {
      ...diagnose([file(`${canary()}.dcm`, namedDicom())]),
      url: '/v1/view',
      payload: { files: [file(`${canary()}.dcm`, namedDicom())] },
    },
    diagnose([file('rec.hea', header), file('rec.dat', signal)]),
    diagnose([file('rec.hea', header)]),
    diagnose([file(`${canary()}.hea`, `${canary()} 1 500 4\n${canary()}.dat 16 1000 16 0 0 0 0 ${canary()}\n`)]),
    diagnose([
      file('r.hea', `${canary().toLowerCase()} 1 500 4\n${canary().toLowerCase()}.dat 16 1000 16 0 0 0 0 I\n`),
    ]),
    diagnose([file('r.hea', `r 1 500 4\nr.dat ${canary()} 1000 16 0 0 0 0 I\n`), file('r.dat', signal)]),
    diagnose([file('r.hea', `r 1 500 4\nr.dat 16 ${canary()} 16 0 0 0 0 I\n`), file('r.dat', signal)]),
    diagnose([file('r.hea', `r 1 ${canary()} 4\nr.dat 16 1000 16 0 0 0 0 I\n`), file('r.dat', signal)]),
    diagnose([
      file(
        'r.mha',
        `ObjectType = ${canary()}\nNDims = ${canary()}\nElementType = ${canary()}\nElementDataFile = LOCAL\n`,
      ),
    ]),
    diagnose([
      file(
        'r.mhd',
        `ObjectType = Image\nNDims = 3\nDimSize = 1 1 1\nElementType = ${canary()}\nElementDataFile = ${canary()}\n`,
      ),
    ]),
    diagnose([file('r.csv', `${canary()},${canary()}\n${canary()},1\n`)]),
    diagnose([file(`${canary()}.xml`, muse())]),
    diagnose([file(`${canary()}.xml`, cut(muse()))]),
    diagnose([file(`${canary()}.xml`, aecg())]),
    diagnose([file(`${canary()}.csv`, csv())]),
    diagnose([file(`${canary()}.png`, canary())], { window: canary() }),
    { url: '/v1/score', payload: { messages: [{ role: 'user', content: canary() }], completions: [canary()] } },
    {
      url: '/v1/rewards',
      payload: { rows: [{ id: canary(), response: canary(), labels: [canary()], extra: canary() }] },
    },
    { url: '/v1/rewards', payload: { rows: [{ id: canary(), response: canary(), answer: 5 }], preset: canary() } },
    {
      url: '/v1/advantages',
      payload: { estimator: canary(), rewards: [1], questionIds: [canary()], domains: [canary()] },
    },
  ]
}

describe('words that say who a patient is', () => {
  const written: string[] = []
  beforeAll(() => {
    for (const stream of [process.stdout, process.stderr])
      vi.spyOn(stream, 'write').mockImplementation(chunk => {
        written.push(String(chunk))
        return true
      })
  })
  afterAll(() => vi.restoreAllMocks())

  test('stand in no log, metric, trace or error, nor on the screen', async () => {
    const log: string[] = []
    const traced: string[] = []
    const collector = createHttpServer(async (request, response) => {
      for await (const chunk of request) traced.push(String(chunk))
      response.end('{}')
    })
    await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve))
    const otlp = `http://127.0.0.1:${(collector.address() as AddressInfo).port}` // it listens on a port
    const answered: string[] = []
    let failures = 0
    const sent = requests()
    for (const { url, payload, options, headers } of sent) {
      const app = createServer({
        policy: fakePolicy(),
        log: entry => log.push(JSON.stringify(entry)),
        otlp,
        ...options,
      })
      const response = await app.inject({
        method: 'POST',
        url,
        payload,
        headers: { 'content-type': 'application/json', ...headers },
      })
      answered.push(JSON.stringify(response.headers), (await app.inject('/metrics')).body)
      // An answer to rewards has the ids of its rows; all others say nothing of what was sent.
      const isAnswer = url === '/v1/rewards' && response.statusCode === 200
      if (!isAnswer) answered.push(response.body)
      if (response.statusCode >= 400) failures++
      await app.close()
      log.pop() // that of the metrics
    }
    collector.close()
    vi.restoreAllMocks()
    expect(traced).toHaveLength(sent.length)
    expect(known.length).toBeGreaterThanOrEqual(100)
    expect(failures).toBeGreaterThan(15)
    expect(log).toHaveLength(sent.length)
    const texts = [...log, ...traced, ...answered, ...written].map(text => text.toLowerCase())
    expect(texts.filter(text => known.some(word => text.includes(word.toLowerCase())))).toEqual([])
  })

  test('are in the files that are sent: the DICOM reader finds them', async () => {
    const { identifyFile } = await import('@qoq-med/data-climb')
    const bytes = namedDicom()
    expect(identifyFile(bytes, 'x')).toBe('dicom')
    expect(bytes.toString('latin1')).toContain(known.at(-1))
  })
})
