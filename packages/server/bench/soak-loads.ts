import { encodeDicom } from '@qoq-med/data-climb'

/** A kind of request, and how it must end. */
export interface Load {
  readonly name: string
  /** Rejects where the answer is not whole, or not the one that is due. */
  send(url: string): Promise<void>
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const scan = base64(
  encodeDicom({
    rows: 128,
    columns: 128,
    pixels: new Uint16Array(128 * 128).map((_, i) => i % 4096),
    bitsStored: 12,
    modality: 'CT',
    sopInstanceUid: '1.2.3',
  }),
)
const leads = Object.fromEntries(
  ['I', 'II', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'].map((name, lead) => [
    name,
    Array.from({ length: 2500 }, (_, i) => Math.sin(i / (9 + lead))),
  ]),
)
const question = [{ role: 'user', content: 'Which label fits?' }]
const rows = Array.from({ length: 500 }, (_, i) => ({
  id: String(i),
  response: '<think>Seen.</think>\\boxed{A}',
  answer: ['A'],
}))

async function post(url: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  })
}

/** A request that must end with a status, and whose text must have what is due. */
function answered(name: string, path: string, body: unknown, { status = 200, has = '' } = {}): Load {
  return {
    name,
    send: async url => {
      const response = await post(`${url}${path}`, body)
      const text = await response.text()
      if (response.status !== status) throw new Error(`status ${response.status}`)
      if (!text.includes(has)) throw new Error('the answer is not whole')
    },
  }
}

/** A client that goes away in the middle of its answer. */
const killed: Load = {
  name: 'killed',
  send: async url => {
    const controller = new AbortController()
    const body = { messages: question, max_tokens: 64, stream: true }
    const response = await post(`${url}/v1/chat/completions`, body, controller.signal)
    await response.body?.getReader().read()
    controller.abort()
  },
}

/** What hospitals, trainers, browsers and those who mean harm send. */
export const loads: readonly Load[] = [
  answered('chat', '/v1/chat/completions', { messages: question, max_tokens: 16 }, { has: 'usage' }),
  answered('stream', '/v1/chat/completions', { messages: question, max_tokens: 16, stream: true }, { has: '[DONE]' }),
  answered(
    'diagnose',
    '/v1/diagnose',
    { files: [{ data: scan }], labels: ['A', 'B'], max_tokens: 32 },
    { has: 'boxes' },
  ),
  answered(
    'ecg',
    '/v1/diagnose',
    { ecgs: [{ fs: 250, units: 'mV', leads }], labels: ['A', 'B'], max_tokens: 32, include: ['fhir'] },
    { has: 'Bundle' },
  ),
  answered('view', '/v1/view', { files: [{ data: scan }] }, { has: 'pixels' }),
  answered('rewards', '/v1/rewards', { rows }, { has: '499' }),
  answered('advantages', '/v1/advantages', {
    estimator: 'grpo',
    rewards: rows.map((_, i) => i % 2),
    questionIds: rows.map((_, i) => Math.floor(i / 10)),
    domains: rows.map(() => 'a'),
  }),
  killed,
  answered(
    'malformed',
    '/v1/diagnose',
    { files: [{ data: base64(Buffer.alloc(500, 7)) }], labels: ['A', 'B'] },
    { status: 400 },
  ),
  answered('unknown', '/v1/nothing', {}, { status: 404 }),
]
