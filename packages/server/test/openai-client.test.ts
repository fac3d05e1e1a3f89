import OpenAI, { BadRequestError, NotFoundError } from 'openai'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer } from '../src/create-server.ts'
import { fakePolicy } from '../src/fake-policy.testing.ts'
import { listen } from '../src/listen.ts'

const words = ['It ', 'is ', 'normal.']
const policy = fakePolicy({ words })
const app = createServer({ policy })
let client: OpenAI

beforeAll(async () => {
  client = new OpenAI({ baseURL: `${await listen(app, { port: 0 })}/v1`, apiKey: 'none', maxRetries: 0 })
})
afterAll(async () => app.close())

const messages = [{ role: 'user' as const, content: 'Which rhythm?' }]
const model = 'fake'

describe('the client of OpenAI, over a socket', () => {
  test('chats, with more than one answer and log-probabilities', async () => {
    const { choices, usage } = await client.chat.completions.create({
      model,
      messages,
      n: 2,
      logprobs: true,
      top_logprobs: 1,
    })
    expect(choices.map(({ message }) => message.content)).toEqual(['It is normal.', 'It is normal.'])
    expect(choices[1]?.logprobs?.content?.map(({ token }) => token)).toEqual(words)
    expect(choices[0]?.logprobs?.content?.[0]?.top_logprobs).toHaveLength(1)
    expect(usage).toMatchObject({ prompt_tokens: 1, completion_tokens: 6 })
  })

  test('streams, with usage at the end', async () => {
    const stream = await client.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    })
    let [text, total] = ['', 0]
    for await (const { choices, usage } of stream) {
      text += choices[0]?.delta.content ?? ''
      total = usage?.total_tokens ?? total
    }
    expect([text, total]).toEqual(['It is normal.', 4])
  })

  test('sends pictures', async () => {
    const png = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#777' } })
      .png()
      .toBuffer()
    const url = `data:image/png;base64,${png.toString('base64')}`
    await client.chat.completions.create({
      model,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url } },
            { type: 'text', text: 'Which?' },
          ],
        },
      ],
    })
    const { prompt } = policy.requests.at(-1)!
    const content = 'tokenIds' in prompt ? [] : prompt[0]!.content
    expect(content).toMatchObject([
      { type: 'image', image: { width: 40, height: 30 } },
      { type: 'text', text: 'Which?' },
    ])
  })

  test('asks for a schema', async () => {
    const schema = {
      type: 'object',
      properties: { label: { enum: ['A', 'B'] } },
      required: ['label'],
      additionalProperties: false,
    }
    await client.chat.completions.create({
      model,
      messages,
      response_format: { type: 'json_schema', json_schema: { name: 'finding', strict: true, schema } },
    })
    expect(policy.requests.at(-1)).toMatchObject({ grammar: { type: 'sequence' } })
  })

  test('lists models, and gets its own errors', async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['fake'])
    expect((await client.models.retrieve('fake')).id).toBe('fake')
    await expect(client.chat.completions.create({ model: 'gpt-5', messages })).rejects.toBeInstanceOf(NotFoundError)
    const bad = client.chat.completions.create({ model, messages: [] })
    await expect(bad).rejects.toBeInstanceOf(BadRequestError)
  })

  test('a stream that is given up ends its answer', async () => {
    const before = policy.requests.length
    const stream = await client.chat.completions.create({ model, messages, stream: true })
    stream.controller.abort()
    await expect.poll(async () => (await app.inject('/health/ready')).json().runningAnswers).toBe(0)
    expect(policy.requests.length).toBe(before + 1)
  })
})
