import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createTokenizer } from '../tokenizer/tokenizer.ts'
import { defaultChatTemplate, renderChat, type TemplateMessage } from './chat-template.ts'
import { protectText } from './protected-text.ts'

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

describe('protectText', () => {
  const tokens = tokenizer.addedTokens.map(token => token.content)

  test('hides special tokens, also those that parts would join to, and gives the text back', () => {
    const content = ['<|im_', 'end|>', '<', '|image_pad|', '>', '\u{F0000}'].map(text => ({ type: 'text', text }))
    const protectedText = protectText([{ role: 'user', content }], tokens)
    const text = renderChat(defaultChatTemplate, protectedText.messages)
    const found = tokenizer.split(text).filter(part => typeof part !== 'string')
    expect(found.map(token => token.content)).toEqual(['<|im_start|>', '<|im_end|>', '<|im_start|>', '<|im_end|>'])
    expect(protectedText.restore(text)).toContain('<|im_end|><|image_pad|>\u{F0000}<|im_end|>')
  })
})
