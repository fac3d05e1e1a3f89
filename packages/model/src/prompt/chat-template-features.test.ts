import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { renderChat, type TemplateMessage } from './chat-template.ts'
import { pythonDate } from './python-date.ts'

/** Made by tooling/oracles/chat_templates.py with transformers. */
interface Fixture {
  readonly bosToken: string
  readonly eosToken: string
  readonly padToken: string
  readonly cases: readonly {
    readonly name: string
    readonly template: string
    readonly messages: readonly TemplateMessage[]
    readonly with: string
    readonly without: string
  }[]
}
const url = new URL('../../fixtures/chat-templates.json', import.meta.url)
const fixture = JSON.parse(readFileSync(url, 'utf8')) as Fixture // our own fixture
const tokens = { bos_token: fixture.bosToken, eos_token: fixture.eosToken, pad_token: fixture.padToken }

describe('features of chat templates, as transformers renders them', () => {
  test.for(fixture.cases)('$name', ({ template, messages, ...want }) => {
    expect(renderChat(template, messages, { addGenerationPrompt: true, tokens })).toBe(want.with)
    expect(renderChat(template, messages, { addGenerationPrompt: false, tokens })).toBe(want.without)
  })
})

test('dates are those of Python', () => {
  const date = new Date(2026, 2, 5, 15, 4, 9)
  expect(pythonDate(date, '%a %A %b %B %d %m %y %Y %H %I %M %S %p %% %q')).toBe(
    'Thu Thursday Mar March 05 03 26 2026 15 03 04 09 PM % %q',
  )
})

describe('a template that would take for ever', () => {
  const messages = [{ role: 'user', content: 'x' }]
  const loop = '{% for i in range(90000) %}'
  test.for([
    {
      name: 'counts very far',
      template: '{% for i in range(10000000) %}{{ i }}{% endfor %}',
      says: 'range() of 10000000',
    },
    { name: 'counts far down', template: '{{ range(0, -1000000000, -1) | length }}', says: 'range() of 1000000000' },
    {
      name: 'nests loops',
      template: `${loop}${loop}${loop}{{ i }}{% endfor %}{% endfor %}{% endfor %}`,
      says: 'more than 300 ms',
    },
    { name: 'has long runs of blanks', template: `{{ 1 }}${' '.repeat(200_000)}x`.repeat(4), says: 'more than 300 ms' },
    {
      name: 'writes without end',
      template: `${loop}{% set x = "${'z'.repeat(900)}" %}{{ x }}{% endfor %}`,
      says: 'writes 81000000 characters',
    },
    { name: 'is very long', template: 'x'.repeat(2_000_000), says: '2000000 characters' },
  ])('is ended: it $name', ({ template, says }) => {
    const began = performance.now()
    expect(() => renderChat(template, messages, { timeLimitMs: says.startsWith('writes') ? 20_000 : 300 })).toThrow(
      expect.objectContaining({ code: 'MODEL_CHAT_TEMPLATE', message: expect.stringContaining(says) }),
    )
    expect(performance.now() - began).toBeLessThan(20_000)
    expect(renderChat('{{ messages[0].content }}', messages)).toBe('x')
  })
})

test('time in which a process does nothing, since the computer sleeps, does not count', () => {
  let sleeps = 1
  const date = new Date(2026, 0, 2)
  date.getFullYear = () => {
    if (sleeps-- > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700)
    return 2026
  }
  expect(renderChat("{{ strftime_now('%Y') }}", [], { date, timeLimitMs: 300 })).toBe('2026')
  expect(sleeps).toBeLessThan(0)
})
