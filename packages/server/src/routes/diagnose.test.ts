import { defaultImageProcessor, seenSize } from '@qoq-med/encoders'
import { encodeDicom, encodeNifti } from '@qoq-med/data-climb'
import type { ContentPart, GenerateRequest } from '@qoq-med/model'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { createServer, type ServerOptions } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'
import { findingPolicy } from '../finding-policy.testing.ts'

/** Pictures are seen with at most 12,544 pixels, in steps of 28. */
const seen = (size: { width: number; height: number }) =>
  seenSize(size, { ...defaultImageProcessor, maxPixels: 12_544 })
const labels = ['Effusion', 'Normal']

async function post(payload: object, options: Partial<ServerOptions> & { url?: string; accept?: string } = {}) {
  const { url = '/v1/diagnose', accept = 'application/json', ...rest } = options
  const app = createServer({ policy: findingPolicy('Effusion', seen), ...rest })
  const response = await app.inject({ method: 'POST', url, payload, headers: { accept } })
  await app.close()
  return response
}

/** What the first request of a policy asked about. */
function contentOf({ requests }: { requests: readonly GenerateRequest[] }): readonly ContentPart[] {
  const prompt = requests[0]!.prompt
  const content = 'tokenIds' in prompt ? '' : prompt[0]!.content
  return typeof content === 'string' ? [] : content
}

interface Mark {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Grey levels of a picture that is dark but for a mark. */
function marked(width: number, height: number, mark: Mark): Uint16Array {
  const inside = (x: number, y: number) =>
    x >= mark.x && x < mark.x + mark.width && y >= mark.y && y < mark.y + mark.height
  return Uint16Array.from({ length: width * height }, (_, i) => (inside(i % width, Math.floor(i / width)) ? 3000 : 200))
}

const dicomFile = (width: number, height: number, mark: Mark, window?: { center: number; width: number }) =>
  Buffer.from(
    encodeDicom({
      rows: height,
      columns: width,
      pixels: marked(width, height, mark),
      bitsStored: 12,
      modality: 'DX',
      sopInstanceUid: '1.2.3.4',
      ...(window && { window }),
    }),
  )

const sizes = fc
  .record({ width: fc.integer({ min: 40, max: 300 }), height: fc.integer({ min: 40, max: 300 }) })
  .filter(({ width, height }) => Math.max(width, height) / Math.min(width, height) < 6)
const cases = sizes.chain(({ width, height }) =>
  fc.record({
    width: fc.constant(width),
    height: fc.constant(height),
    mark: fc
      .record({
        x: fc.integer({ min: 0, max: width - 12 }),
        y: fc.integer({ min: 0, max: height - 12 }),
        width: fc.integer({ min: 12, max: width }),
        height: fc.integer({ min: 12, max: height }),
      })
      .map(({ x, y, ...size }) => ({
        x,
        y,
        width: Math.min(size.width, width - x),
        height: Math.min(size.height, height - y),
      })),
  }),
)

/** Every edge lies where it was, to the pixel of the picture as it is seen that rounding may cost. */
function expectBox(found: number[], mark: Mark, size: { width: number; height: number }): void {
  const at = seen(size)
  const [x, y] = [size.width / at.width + 0.06, size.height / at.height + 0.06]
  const want = [mark.x, mark.y, mark.x + mark.width, mark.y + mark.height]
  for (const [i, value] of found.entries()) expect(Math.abs(value - want[i]!)).toBeLessThanOrEqual(i % 2 === 0 ? x : y)
}

describe('boxes lie where they were on the picture that was sent', () => {
  test('over sizes and windows of DICOM pictures', async () => {
    const windows = fc.constantFrom<(string | undefined)[]>(undefined, '1600/3000', 'range', '2000/100')
    await fc.assert(
      fc.asyncProperty(cases, windows, async ({ width, height, mark }, window) => {
        const data = dicomFile(width, height, mark).toString('base64')
        const body = (await post({ files: [{ data }], labels, ...(window && { window }) })).json()
        expect(body.pictures).toMatchObject([{ file: 0, kind: 'dicom', width, height, position: 0, length: 1 }])
        expect(body.boxes).toMatchObject([{ picture: 0, label: 'Effusion' }])
        expectBox(body.boxes[0].bbox_2d, mark, { width, height })
      }),
      { numRuns: 40, seed: 1 },
    )
  })

  test('over the orientations of photographs: boxes are in pixels of the picture turned upright', async () => {
    // Where a pixel of the stored picture lies in the upright one, by EXIF orientation (EXIF 2.32, 4.6.4 A).
    const upright: Record<number, (mark: Mark, w: number, h: number) => Mark> = {
      1: mark => mark,
      2: (m, w) => ({ ...m, x: w - m.x - m.width }),
      3: (m, w, h) => ({ ...m, x: w - m.x - m.width, y: h - m.y - m.height }),
      4: (m, _w, h) => ({ ...m, y: h - m.y - m.height }),
      5: m => ({ x: m.y, y: m.x, width: m.height, height: m.width }),
      6: (m, _w, h) => ({ x: h - m.y - m.height, y: m.x, width: m.height, height: m.width }),
      7: (m, w, h) => ({ x: h - m.y - m.height, y: w - m.x - m.width, width: m.height, height: m.width }),
      8: (m, w) => ({ x: m.y, y: w - m.x - m.width, width: m.height, height: m.width }),
    }
    await fc.assert(
      fc.asyncProperty(cases, fc.integer({ min: 1, max: 8 }), async ({ width, height, mark }, orientation) => {
        const grey = Buffer.from(marked(width, height, mark).map(level => level >> 4))
        const file = await sharp(grey, { raw: { width, height, channels: 1 } })
          .withMetadata({ orientation })
          .png()
          .toBuffer()
        const body = (await post({ files: [{ data: file.toString('base64') }], labels })).json()
        const size = orientation > 4 ? { width: height, height: width } : { width, height }
        expect(body.pictures).toMatchObject([size])
        expectBox(body.boxes[0].bbox_2d, upright[orientation]!(mark, width, height), size)
      }),
      { numRuns: 40, seed: 2 },
    )
  })

  test('on the slices of a volume, which are seen from the feet with the front up', async () => {
    // RAS+: stored columns run to the right, which is seen at the left; rows to the front, which is seen on top.
    const [width, height, depth] = [40, 56, 12]
    const voxels = Int16Array.from({ length: width * height * depth }, (_, i) => {
      const [x, y, z] = [i % width, Math.floor(i / width) % height, Math.floor(i / width / height)]
      return x >= 4 && x < 14 && y >= 10 && y < 34 && z >= 3 && z < 6 ? 900 : 0
    })
    const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]
    const spacing = [1, 1, 2]
    const shape = [width, height, depth]
    const volume = { shape, dtype: 'int16', voxels, slope: 1, intercept: 0, spacing, affine, warnings: [] } as const
    const data = Buffer.from(encodeNifti(volume)).toString('base64')
    const body = (await post({ files: [{ name: 'scan.nii', data }], labels })).json()
    expect(body.pictures.map(({ position }: { position: number }) => position)).toEqual([1, 4, 7, 10])
    expect(body.boxes).toMatchObject([{ picture: 1 }])
    expectBox(body.boxes[0].bbox_2d, { x: 26, y: 22, width: 10, height: 24 }, { width, height })
  })
})

const file = dicomFile(84, 56, { x: 8, y: 12, width: 20, height: 20 }).toString('base64')

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
      tokenIds: (text: string) => Array.from(text, one => one.codePointAt(0)!),
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

/** A form as `curl -F` sends it. */
function form(fields: readonly (readonly [string, string])[], files: readonly (readonly [string, Buffer])[]) {
  const edge = 'qoq-edge'
  const part = (head: string, body: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from(`--${edge}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
      body,
      Buffer.from('\r\n'),
    ])
  const payload = Buffer.concat([
    ...fields.map(([name, value]) => part(`name="${name}"`, Buffer.from(value))),
    ...files.map(([name, bytes]) => part(`name="file"; filename="${name}"`, bytes)),
    Buffer.from(`--${edge}--\r\n`),
  ])
  const headers: Record<string, string> = {
    'content-type': `multipart/form-data; boundary=${edge}`,
    'x-qoq-request': '1',
  }
  return { payload, headers }
}

async function postForm(parts: ReturnType<typeof form>, options: Partial<ServerOptions> = {}) {
  const app = createServer({ policy: findingPolicy('Effusion', seen), ...options })
  const response = await app.inject({ method: 'POST', url: '/v1/diagnose', ...parts })
  await app.close()
  return response
}

const whole = (body: { id: string; timing_ms: object }) => ({ ...body, id: '', timing_ms: {} })

describe('a form', () => {
  const picture = Buffer.from(file, 'base64')
  test('is answered as the same JSON is', async () => {
    const fromForm = await postForm(
      form(
        [
          ['labels', 'Effusion'],
          ['labels', 'Normal'],
          ['seed', '3'],
        ],
        [['a.dcm', picture]],
      ),
    )
    expect(fromForm.statusCode).toBe(200)
    const fromJson = (await post({ files: [{ data: file }], labels, seed: 3 })).json()
    expect(whole(fromForm.json())).toEqual(whole(fromJson))
    const oneField = await postForm(form([['request', JSON.stringify({ labels, seed: 3 })]], [['a.dcm', picture]]))
    expect(whole(oneField.json())).toEqual(whole(fromJson))
  })

  test('joins a WFDB header with its signal file', async () => {
    const header = 'rec 2 500 5 0\nrec.dat 16 1000(0)/mV 16 0 0 0 0 I\nrec.dat 16 1000(0)/mV 16 0 0 0 0 II\n'
    const signal = Buffer.alloc(2 * 2 * 5)
    const policy = fakePolicy({ words: ['<think>x</think>\\boxed{Normal}'] })
    const response = await postForm(
      form(
        [
          ['labels', 'Normal'],
          ['labels', 'AF'],
        ],
        [
          ['rec.dat', signal],
          ['rec.hea', Buffer.from(header)],
        ],
      ),
      { policy },
    )
    expect(response.json()).toMatchObject({ labels: ['Normal'] })
    expect(contentOf(policy)).toMatchObject([{ type: 'ecg', ecg: { samplingRateHz: 500 } }, { type: 'text' }])
  })

  test('the slices of a DICOM series are seen in their order in the patient', async () => {
    const { encodeDicomFile } = await import('@qoq-med/data-climb')
    const slice = (z: number): Buffer => {
      const pixels = Uint16Array.from({ length: 64 * 64 }, () => z * 100)
      return Buffer.from(
        encodeDicomFile(
          [
            [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2'],
            [0x00080018, 'UI', `1.2.3.${z + 1}`],
            [0x00080060, 'CS', 'CT'],
            [0x0020000d, 'UI', '1.2.3'],
            [0x0020000e, 'UI', '1.2.4'],
            [0x00200032, 'DS', `0\\0\\${z * 3}`],
            [0x00200037, 'DS', '1\\0\\0\\0\\1\\0'],
            [0x00280002, 'US', 1],
            [0x00280004, 'CS', 'MONOCHROME2'],
            [0x00280010, 'US', 64],
            [0x00280011, 'US', 64],
            [0x00280100, 'US', 16],
            [0x00280101, 'US', 16],
            [0x00280102, 'US', 15],
            [0x00280103, 'US', 0],
            [0x00281050, 'DS', '400'],
            [0x00281051, 'DS', '800'],
            [0x7fe00010, 'OW', new Uint8Array(pixels.buffer)],
          ],
          { sopClassUid: '1.2.840.10008.5.1.4.1.1.2', sopInstanceUid: `1.2.3.${z + 1}`, implementationUid: '1.2' },
        ),
      )
    }
    const shuffled = [5, 2, 7, 0, 3, 6, 1, 4].map(z => [`${z}.dcm`, slice(z)] as const)
    const policy = findingPolicy('Effusion', seen)
    const response = await postForm(
      form(
        [
          ['labels', 'Effusion'],
          ['labels', 'Normal'],
        ],
        shuffled,
      ),
      { policy },
    )
    const body = response.json()
    expect(body.pictures).toMatchObject([1, 3, 5, 7].map(position => ({ position, length: 8 })))
    expect(body.pictures.map((one: { file: number }) => shuffled[one.file]![0])).toEqual([
      '1.dcm',
      '3.dcm',
      '5.dcm',
      '7.dcm',
    ])
    const video = contentOf(policy)[0] as unknown as { type: string; frames: { data: Uint8Array }[] }
    expect(video.type).toBe('video')
    const levels = video.frames.map(({ data }) => data[0]!)
    expect(levels).toEqual(levels.toSorted((a, b) => a - b))
    expect(body.warnings).toContain('looked at 4 of 8 instances of a series')
  })

  test.for<{ name: string; parts: ReturnType<typeof form>; limits?: object; status: number; code: string }>([
    {
      name: 'too many bytes',
      parts: form([], [['a.dcm', picture]]),
      limits: { uploadBytes: 100 },
      status: 413,
      code: 'SERVER_BODY_TOO_LARGE',
    },
    {
      name: 'too many files',
      parts: form(
        [],
        [
          ['a', picture],
          ['b', picture],
        ],
      ),
      limits: { files: 1 },
      status: 400,
      code: 'SERVER_LIMIT_EXCEEDED',
    },
    { name: 'a field that is no JSON', parts: form([['request', '{']], []), status: 400, code: 'SERVER_BODY_NOT_JSON' },
    { name: 'an unknown field', parts: form([['Jane', 'x']], []), status: 400, code: 'SERVER_REQUEST_INVALID' },
    { name: 'a seed that is no number', parts: form([['seed', 'x']], []), status: 400, code: 'SERVER_REQUEST_INVALID' },
    {
      name: 'a form without an edge',
      parts: { ...form([], []), headers: { 'content-type': 'multipart/form-data', 'x-qoq-request': '1' } },
      status: 400,
      code: 'SERVER_FORM_INVALID',
    },
    {
      name: 'a cut form',
      parts: { ...form([], []), payload: Buffer.from('--qoq-edge\r\nContent-Dis') },
      status: 400,
      code: 'SERVER_FORM_INVALID',
    },
    {
      name: 'a form without token',
      parts: { ...form([], []), headers: { 'content-type': 'multipart/form-data; boundary=x' } },
      status: 403,
      code: 'SERVER_FORM_TOKEN',
    },
  ])('refuses $name', async ({ parts, limits = {}, status, code }) => {
    const response = await postForm(parts, { limits })
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
