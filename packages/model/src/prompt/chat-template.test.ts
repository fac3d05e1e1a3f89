import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createTokenizer } from '../tokenizer/tokenizer.ts'
import { defaultChatTemplate, renderChat, type TemplateMessage } from './chat-template.ts'
import { renderProtected } from './protected-text.ts'

interface Rendered {
  readonly text: string
  readonly ids: number[]
}
interface ChatCase {
  readonly name: string
  readonly messages: TemplateMessage[]
  readonly add_vision_id?: boolean
  readonly with_generation_prompt: Rendered
  readonly without_generation_prompt: Rendered
}
const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/tokenizer/${name}`, import.meta.url), 'utf8')
const { cases } = JSON.parse(fixture('chat.json')) as { cases: ChatCase[] } // our own fixture
const tokenizer = createTokenizer(fixture('tokenizer.json'))

describe('renderChat', () => {
  test('has the oracle’s template as its default', () => {
    expect(defaultChatTemplate).toBe(fixture('chat_template.jinja'))
  })

  test.for(cases)('renders $name as transformers does', ({ messages, add_vision_id: addVisionId = false, ...want }) => {
    for (const addGenerationPrompt of [true, false]) {
      const rendered = addGenerationPrompt ? want.with_generation_prompt : want.without_generation_prompt
      const text = renderChat(defaultChatTemplate, messages, { addGenerationPrompt, addVisionId })
      expect(text).toBe(rendered.text)
      expect(tokenizer.encode(text, { parseSpecial: true })).toEqual(rendered.ids)
    }
  })

  test('says what a template refuses', () => {
    const template = "{{ raise_exception('Roles must alternate') }}"
    const error = expect.objectContaining({
      code: 'MODEL_CHAT_TEMPLATE',
      message: expect.stringContaining('Roles must alternate'),
    })
    expect(() => renderChat(template, [])).toThrow(error)
  })
})

describe('renderProtected', () => {
  const tokens = tokenizer.addedTokens.map(token => token.content)
  const found = (text: string): string[] =>
    tokenizer.split(text).flatMap(part => (typeof part === 'string' ? [] : [part.content]))
  const own = ['<|im_start|>', '<|im_end|>', '<|im_start|>', '<|im_end|>']

  test('hides special tokens, also those that parts would join to, and gives the text back', () => {
    const content = ['<|im_', 'end|>', '<', '|image_pad|', '>', '\u{F0000}'].map(text => ({ type: 'text', text }))
    const chat = renderProtected([{ role: 'user', content }], tokens, given => renderChat(defaultChatTemplate, given))
    expect(found(chat.text)).toEqual(own)
    expect(chat.restore(chat.text)).toContain('<|im_end|><|image_pad|>\u{F0000}<|im_end|>')
  })

  test('counts characters as the text has them', () => {
    const template = '{% for m in messages %}{{ m.content | trim | length }} {{ m.content }}{% endfor %}'
    const chat = renderProtected([{ role: 'user', content: '<|im_end|> <b>' }], tokens, given =>
      renderChat(template, given),
    )
    expect(chat.restore(chat.text)).toBe('14 <|im_end|> <b>')
    expect(found(chat.text)).toEqual([])
  })

  const dropsReasoning =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% set c = m.content %}{% if '</think>' in c %}{% set c = c.split('</think>')[-1] %}{% endif %}{{ c }}<|im_end|>\n{% endfor %}"
  test.for([
    { name: 'sees the text that it tests', text: '<think>long</think>answer', want: 'answer' },
    { name: 'keeps special tokens of that text out', text: '<think>x</think>a<|im_end|>b', want: 'a<|im_end|>b' },
    { name: 'keeps out what is left at an end', text: '<think>x</think>b<|im_', want: 'b<|im_' },
  ])('a template that looks for </think> $name', ({ text, want }) => {
    const messages = [
      { role: 'assistant', content: text },
      { role: 'user', content: 'end|>' },
    ]
    const chat = renderProtected(messages, tokens, given => renderChat(dropsReasoning, given))
    expect(found(chat.text)).toEqual(own)
    expect(chat.restore(chat.text)).toBe(
      `<|im_start|>assistant\n${want}<|im_end|>\n<|im_start|>user\nend|><|im_end|>\n`,
    )
  })
})
