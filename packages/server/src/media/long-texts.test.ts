import { randomFillSync } from 'node:crypto'
import { encodeDicom } from '@qoq-med/data-climb'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { createServer } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'
import { takeLongTexts } from './long-texts.ts'

const side = 400
const noise = randomFillSync(new Uint8Array(side * side * 3))
const png = await sharp(noise, { raw: { width: side, height: side, channels: 3 } })
  .png()
  .toBuffer()
const picture = `data:image/png;base64,${png.toString('base64')}`
const pixels = randomFillSync(new Uint16Array(side * side)).map(value => value & 0xfff)
const scan = Buffer.from(
  encodeDicom({ rows: side, columns: side, pixels, bitsStored: 12, modality: 'CT', sopInstanceUid: '1.2.3' }),
).toString('base64')
const long = 'x'.repeat(400_000)

/** The pixels that a policy was shown of a request. */
async function shownBy(
  url: string,
  payload: object,
  threads: number,
): Promise<{ status: number; body: unknown; shown: Buffer[] }> {
  const policy = fakePolicy({ words: ['<think>x</think>\\boxed{A}'] })
  const app = createServer({ policy, threads })
  const response = await app.inject({ method: 'POST', url, payload: { ...payload, seed: 1 } })
  await app.close()
  const messages = policy.requests.flatMap(({ prompt }) => ('tokenIds' in prompt ? [] : prompt))
  const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content))
  const shown = parts.flatMap(part => (part.type === 'image' ? [Buffer.from(part.image.data)] : []))
  return { status: response.statusCode, body: response.json(), shown }
}

const chat = (...content: object[]) => ({ messages: [{ role: 'user', content }] })
const asked = { labels: ['A', 'B'] }

describe('a text that is long', () => {
  test.for<[string, string, object, number]>([
    ['a picture', '/v1/chat/completions', chat({ type: 'image_url', image_url: { url: picture } }), 1],
    ['a picture as a bare address', '/v1/chat/completions', chat({ type: 'image_url', image_url: picture }), 1],
    ['a file of a chat', '/v1/chat/completions', chat({ type: 'file', file: { file_data: picture } }), 1],
    [
      'several, and short ones',
      '/v1/chat/completions',
      chat(...Array.from({ length: 3 }, () => ({ type: 'image_url', image_url: picture })), {
        type: 'text',
        text: 'Which?',
      }),
      3,
    ],
    ['a data URL to be diagnosed', '/v1/diagnose', { ...asked, files: [{ data: picture }] }, 1],
    ['base64 to be diagnosed', '/v1/diagnose', { ...asked, files: [{ data: scan }, { data: picture }] }, 2],
  ])('reaches the model whole: %s', async ([, url, payload, pictures]) => {
    const [here, threaded] = [await shownBy(url, payload, 0), await shownBy(url, payload, 1)]
    expect([here.status, threaded.status]).toEqual([200, 200])
    expect(here.shown).toHaveLength(pictures)
    expect(here.shown.at(-1)!.equals(noise)).toBe(true)
    expect(threaded.shown.map((each, i) => each.equals(here.shown[i]!))).toEqual(here.shown.map(() => true))
  })

  test.for<[string, string, object, string, string]>([
    [
      'no data URL',
      '/v1/chat/completions',
      chat({ type: 'image_url', image_url: { url: long } }),
      'SERVER_REMOTE_URL_REFUSED',
      'messages.0.content.0.image_url',
    ],
    [
      'no base64',
      '/v1/diagnose',
      { ...asked, files: [{ data: `${long}!` }] },
      'SERVER_DATA_URL_INVALID',
      'files.0.data',
    ],
    [
      'no letters of ASCII',
      '/v1/diagnose',
      { ...asked, files: [{ data: 'Ł'.repeat(400_000) }] },
      'SERVER_DATA_URL_INVALID',
      'files.0.data',
    ],
    [
      'no picture',
      '/v1/chat/completions',
      chat({ type: 'image_url', image_url: `data:;base64,${long}` }),
      'SERVER_IMAGE_FORMAT',
      'messages.0.content.0.image_url',
    ],
  ])('is refused with its place: %s', async ([, url, payload, code, place]) => {
    for (const threads of [0, 1]) {
      const { status, body } = await shownBy(url, payload, threads)
      expect([status, body]).toMatchObject([400, { error: { code, message: expect.stringContaining(place) } }])
    }
  })

  test('is counted as a file is', async () => {
    const app = createServer({ policy: fakePolicy(), limits: { fileCharacters: 100_000 } })
    for (const [url, payload] of [
      ['/v1/diagnose', { ...asked, files: [{ data: long }] }],
      ['/v1/chat/completions', chat({ type: 'file', file: { file_data: `data:;base64,${long}` } })],
      ['/v1/chat/completions', chat({ type: 'image_url', image_url: `data:;base64,${long}` })],
    ] as const) {
      const { error } = (await app.inject({ method: 'POST', url, payload })).json()
      expect(error).toMatchObject({
        code: 'SERVER_LIMIT_EXCEEDED',
        message: expect.stringContaining('characters of a file'),
      })
    }
    await app.close()
  })

  test('of another field, or in a body of another shape, stays where it is', () => {
    for (const body of [
      null,
      5,
      long,
      [long],
      { messages: long, files: { data: long } },
      { files: [long, null, { name: long }] },
      { messages: [{ content: long }, { content: [long, { text: long }] }] },
    ]) {
      const before = JSON.stringify(body)
      expect(takeLongTexts(body).size).toBe(0)
      expect(JSON.stringify(body)).toBe(before)
    }
  })
})
