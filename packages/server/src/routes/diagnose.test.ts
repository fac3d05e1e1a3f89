import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { fakePolicy } from '../fake-policy.testing.ts'
import { findingPolicy } from '../finding-policy.testing.ts'
import { contentOf, file, labels, post, seen } from './diagnose.testing.ts'

/** The text that a policy is asked. */
async function textOf(body: object): Promise<string> {
  const policy = findingPolicy('Effusion', seen)
  const response = await post({ files: [{ data: file }], ...body }, { policy })
  expect(response.statusCode).toBe(200)
  const part = (contentOf(policy) as { type: string; text: string }[]).at(-1)!
  return part.text
}

describe('POST /v1/diagnose', () => {
  test('answers with labels, reasoning, boxes, warnings and times', async () => {
    const response = await post({ files: [{ data: file }], labels, seed: 5 })
    expect(response.statusCode).toBe(200)
    expect(response.json()).toMatchObject({
      object: 'diagnosis',
      model: 'fake',
      labels: ['Effusion'],
      answer: 'Effusion',
      reasoning: 'It is bright.',
      boxes: [{ picture: 0, label: 'Effusion', bbox_2d: [8, 12, 28, 32] }],
      candidates: labels,
      finish_reason: 'stop',
      seed: 5,
      usage: { prompt_tokens: 1, completion_tokens: 1 },
      timing_ms: { decode: expect.any(Number), generate: expect.any(Number), score: expect.any(Number) },
      notice: 'Research use only, not a medical device',
    })
  })

  test('asks as training does: the form of the answer, a dataset by its id, text before the question', async () => {
    expect(await textOf({ labels })).toMatch(/study.*: Effusion, Normal\.\nReason in <think>.*\\boxed\{label\}\.$/s)
    expect(await textOf({ dataset: 'chexpert' })).toMatch(/chest X-ray.*Cardiomegaly.*\\boxed\{label, label\}\.$/s)
    expect(await textOf({ question: 'What is it?' })).toMatch(/^What is it\?\nReason/)
    expect(await textOf({ question: 'Which?', labels, answer_mode: 'multi', text: 'Aged 60.' })).toMatch(
      /^Aged 60\.\nWhich\? Choose all that apply: Effusion, Normal\.\n/,
    )
  })

  test('holds the answer to the labels', async () => {
    const policy = findingPolicy('Effusion', seen)
    await post({ files: [{ data: file }], labels }, { policy })
    expect(JSON.stringify(policy.requests[0]!.grammar)).toContain('Normal')
    expect(policy.requests[0]).toMatchObject({ temperature: 0, maxNewTokens: 1024 })
  })

  test('gives every label a probability when it is asked for', async () => {
    const fake = findingPolicy('Effusion', seen)
    const policy = {
      ...fake,
      // The closing brace and every letter: E is likelier than N.
      logprobs: async (rows: readonly { completion: Int32Array }[]) =>
        rows.map(({ completion }) => {
          const isEffusion = String.fromCodePoint(...completion).endsWith('{Effusion}')
          return new Float32Array(completion.length).fill(isEffusion ? Math.log(0.75) : Math.log(0.25))
        }),
    }
    const body = (await post({ files: [{ data: file }], labels, probabilities: true }, { policy })).json()
    expect(body.probabilities.Effusion).toBeCloseTo(0.75, 5)
    expect(body.probabilities.Normal).toBeCloseTo(0.25, 5)
    const refused = await post({ files: [{ data: file }], labels, probabilities: true })
    expect([refused.statusCode, refused.json().error.code]).toEqual([400, 'SERVER_SCORE_UNSUPPORTED'])
  })

  test('takes an ECG as JSON and text alone', async () => {
    const leads = { I: Array.from({ length: 500 }, (_, i) => Math.sin(i / 9)) }
    const policy = fakePolicy({ words: ['<think>x</think>', '\\boxed{Normal}'] })
    const body = { ecgs: [{ fs: 100, units: 'mV', leads }], labels: ['Normal', 'AF'] }
    expect((await post(body, { policy })).json()).toMatchObject({ labels: ['Normal'], pictures: [], boxes: [] })
    expect(contentOf(policy)).toMatchObject([{ type: 'ecg' }, { type: 'text' }])
    expect((await post({ text: 'A cough.', labels: ['Normal', 'AF'] }, { policy })).statusCode).toBe(200)
  })

  test('streams the answer, then the document', async () => {
    const policy = fakePolicy({ words: ['<think>', 'x</think>', '\\boxed{Normal}'] })
    const response = await post({ text: 'A cough.', labels: ['Normal', 'AF'], stream: true }, { policy })
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    const events = response.body
      .split('\n\n')
      .filter(event => event !== '')
      .map(event => JSON.parse(event.replace(/^data: /, '')))
    expect(events.slice(0, 3).map(({ text }) => text)).toEqual(['<think>', 'x</think>', '\\boxed{Normal}'])
    expect(events.at(-1)).toMatchObject({ type: 'result', object: 'diagnosis', labels: ['Normal'] })
  })

  test('a stream that fails ends with an error object', async () => {
    const policy = fakePolicy({ failure: new Error('Mrs Smith') })
    const response = await post({ text: 'A cough.', labels, stream: true }, { policy })
    expect(response.body).toContain('SERVER_UNEXPECTED')
    expect(response.body).not.toContain('Smith')
  })

  test.for<{ name: string; body: object; status?: number; code: string }>([
    { name: 'nothing to look at', body: { labels }, code: 'SERVER_DIAGNOSE_TASK' },
    { name: 'nothing to answer', body: { files: [{ data: file }] }, code: 'SERVER_DIAGNOSE_TASK' },
    {
      name: 'labels and a dataset',
      body: { files: [{ data: file }], labels, dataset: 'chexpert' },
      code: 'SERVER_DIAGNOSE_TASK',
    },
    {
      name: 'an unknown dataset',
      body: { files: [{ data: file }], dataset: 'Jane Doe' },
      status: 404,
      code: 'SERVER_DATASET_UNKNOWN',
    },
    { name: 'a label with a brace', body: { text: 'x', labels: ['a}'] }, code: 'SERVER_REQUEST_INVALID' },
    { name: 'a label of blanks', body: { text: 'x', labels: [' ', 'B'] }, code: 'SERVER_REQUEST_INVALID' },
    { name: 'a label that ends in a blank', body: { text: 'x', labels: ['A', 'A '] }, code: 'SERVER_REQUEST_INVALID' },
    { name: 'a label with what none sees', body: { text: 'x', labels: ['A\0', 'B'] }, code: 'SERVER_REQUEST_INVALID' },
    { name: 'another model', body: { text: 'x', labels, model: 'other' }, status: 404, code: 'SERVER_MODEL_UNKNOWN' },
    { name: 'an unknown window', body: { files: [{ data: file }], labels, window: 'x' }, code: 'DATA_OPTION_INVALID' },
    {
      name: 'a file that is none',
      body: { files: [{ name: 'Jane.txt', data: 'eHg=' }], labels },
      code: 'DATA_FORMAT_UNKNOWN',
    },
    { name: 'no base64', body: { files: [{ data: '###' }], labels }, code: 'SERVER_DATA_URL_INVALID' },
    { name: 'an address', body: { files: [{ data: 'http://127.0.0.1/' }], labels }, code: 'SERVER_REMOTE_URL_REFUSED' },
  ])('refuses $name', async ({ body, status = 400, code }) => {
    const response = await post(body)
    expect([response.statusCode, response.json().error.code]).toEqual([status, code])
    expect(response.body).not.toContain('Jane')
  })
})

describe('documents', () => {
  test('FHIR is sent to who accepts it', async () => {
    const response = await post({ files: [{ data: file }], labels }, { accept: 'application/fhir+json' })
    expect(response.headers['content-type']).toMatch(/^application\/fhir\+json/)
    const bundle = response.json()
    expect(bundle.resourceType).toBe('Bundle')
    const [report] = bundle.entry
    expect(report.resource).toMatchObject({
      status: 'preliminary',
      conclusion: expect.stringContaining('Research use only'),
    })
    const observations = bundle.entry.filter(
      (one: { resource: { resourceType: string } }) => one.resource.resourceType === 'Observation',
    )
    expect(observations).toHaveLength(2)
  })

  test.for([
    ['text/html, Application/FHIR+json; fhirVersion=4.0;q=0.5', true],
    ['application/json, application/fhir+json;q=0', false],
    ['application/fhir+json-patch', false],
  ] as const)('%s: FHIR %s', async ([accept, isFhir]) => {
    const { resourceType } = (await post({ text: 'x', labels }, { accept })).json()
    expect(resourceType === 'Bundle').toBe(isFhir)
  })

  test('an answer holds the documents that are asked for, a report where the pictures are DICOM', async () => {
    const include = ['fhir', 'dicom_sr']
    const { documents } = (await post({ files: [{ data: file }], labels, include })).json()
    expect(documents.fhir.resourceType).toBe('Bundle')
    expect(Buffer.from(documents.dicom_sr, 'base64').subarray(128, 132).toString()).toBe('DICM')
    const text = (await post({ text: 'x', labels, include })).json()
    expect(text.documents.dicom_sr).toBe(null)
    expect((await post({ text: 'x', labels })).json()).not.toHaveProperty('documents')
  })

  test('a DICOM report is sent for DICOM pictures, and refused for others', async () => {
    const response = await post({ files: [{ data: file }], labels }, { url: '/v1/diagnose/sr' })
    expect(response.headers['content-type']).toBe('application/dicom')
    expect(response.rawPayload.subarray(128, 132).toString()).toBe('DICM')
    const png = await sharp({ create: { width: 60, height: 60, channels: 3, background: '#fff' } })
      .png()
      .toBuffer()
    const refused = await post({ files: [{ data: png.toString('base64') }], labels }, { url: '/v1/diagnose/sr' })
    expect([refused.statusCode, refused.json().error.code]).toEqual([400, 'SERVER_REPORT_SOURCE'])
  })
})
