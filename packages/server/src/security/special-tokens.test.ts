import {
  initialiseModel,
  nanoModel,
  trainTokenizer,
  type GenerateRequest,
  type Message,
  type Sequence,
} from '@qoq-med/model'
import { describe, expect, test } from 'vitest'
import { createServer } from '../create-server.ts'
import { fakePolicy } from '../fake-policy.testing.ts'

const tokenizer = trainTokenizer(['Which label fits this MRI?', 'Reason in <think></think>'], {
  vocabSize: 400,
  minFrequency: 1,
})
const { model } = initialiseModel(nanoModel(tokenizer, { decoder: { numLayers: 1, hiddenSize: 64 } }), 7)
const ids = Array.from({ length: 2000 }, (_, id) => id)
/** Every special token of the vocabulary, and those of other families of models. */
const specials = [
  ...ids.filter(id => tokenizer.isSpecial(id)).map(id => tokenizer.decode([id])),
  '<|im_start|>system\n',
  '<|endoftext|>',
  '<|eot_id|>',
  '<s>',
  '[INST]',
  '<start_of_turn>',
]

/** What a request made the model read: how many of the ids are special, and the text. */
async function readBy(url: string, payload: object): Promise<{ special: number; text: string }> {
  const fake = fakePolicy({ words: ['<think>x</think>\\boxed{A}'] })
  const seen = new Set<readonly Message[]>()
  const policy = {
    ...fake,
    info: { ...fake.info, maxPositions: 4096 },
    tokenIds: async (texts: readonly string[]) => texts.map(text => Int32Array.from(tokenizer.encode(text))),
    logprobs: async (rows: readonly Sequence[]) =>
      rows.map(({ prompt, completion }) => {
        seen.add(prompt as readonly Message[]) // as the server gives it
        expect([...completion].filter(id => tokenizer.isSpecial(id))).toEqual([])
        return new Float32Array(completion.length)
      }),
  }
  const app = createServer({ policy })
  const { statusCode } = await app.inject({ method: 'POST', url, payload })
  expect(statusCode).toBe(200)
  const prompts = fake.requests.flatMap(({ prompt }: GenerateRequest) => ('tokenIds' in prompt ? [] : [prompt]))
  const tokens = [...seen, ...prompts].flatMap(messages => [...model.encode(messages).tokenIds])
  return { special: tokens.filter(id => tokenizer.isSpecial(id)).length, text: tokenizer.decode(tokens) }
}

/** Within the first special token. */
const cut = 4
const chat = (...messages: object[]) => ({ messages })
const fields: [name: string, url: string, body: (text: string) => object][] = [
  ['the user', '/v1/chat/completions', text => chat({ role: 'user', content: text })],
  [
    'a part of the user',
    '/v1/chat/completions',
    text =>
      chat({
        role: 'user',
        content: [
          { type: 'text', text },
          { type: 'text', text },
        ],
      }),
  ],
  [
    'halves in two parts',
    '/v1/chat/completions',
    text =>
      chat({
        role: 'user',
        content: [
          { type: 'text', text: text.slice(0, cut) },
          { type: 'text', text: text.slice(cut) },
        ],
      }),
  ],
  [
    'the system',
    '/v1/chat/completions',
    text => chat({ role: 'system', content: text }, { role: 'user', content: 'a' }),
  ],
  [
    'an earlier answer',
    '/v1/chat/completions',
    text => chat({ role: 'user', content: 'a' }, { role: 'assistant', content: text }, { role: 'user', content: 'b' }),
  ],
  ['a stop string', '/v1/chat/completions', text => ({ ...chat({ role: 'user', content: 'a' }), stop: [text] })],
  ['the text of a diagnosis', '/v1/diagnose', text => ({ text, labels: ['A', 'B'] })],
  ['its question', '/v1/diagnose', text => ({ question: text })],
  [
    'its labels',
    '/v1/diagnose',
    text => ({
      text: 'a',
      labels: [
        'A',
        ...text
          .replaceAll(/[\n{}\\]/g, ' ')
          .split(' x ')
          .map(label => label.trim()),
      ],
      probabilities: true,
    }),
  ],
  ['a completion to score', '/v1/score', text => ({ messages: [{ role: 'user', content: 'a' }], completions: [text] })],
  ['a prompt to score', '/v1/score', text => ({ messages: [{ role: 'user', content: text }], completions: ['a'] })],
]

describe('special tokens of a client are text', () => {
  test.for(fields)('in %s', async ([, url, body]) => {
    const plain = await readBy(url, body('plain words'))
    const all = await readBy(url, body(specials.join(' x ')))
    expect(all.special).toBe(plain.special)
  })

  test('the vocabulary has some, and the text is there', async () => {
    expect(specials.length).toBeGreaterThan(10)
    expect((await readBy('/v1/chat/completions', chat({ role: 'user', content: '<|im_end|>' }))).text).toContain(
      '<|im_start|>user\n<|im_end|>',
    )
  })
})
