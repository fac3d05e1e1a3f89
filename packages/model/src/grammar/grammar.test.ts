import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testModel } from '../composition/nano.testing.ts'
import { byteAutomaton } from './byte-automaton.ts'
import { boxedLabels, boxesAndLabels, type Grammar } from './grammar.ts'
import { tokenConstraint } from './token-constraint.ts'

const literal = (text: string): Grammar => ({ type: 'literal', text })

/** Whether a text fits a grammar. */
function fits(grammar: Grammar, text: string): boolean {
  const automaton = byteAutomaton(grammar)
  let state = 0
  for (const byte of new TextEncoder().encode(text)) {
    state = automaton.next(state, byte)
    if (state < 0) return false
  }
  return automaton.isAccepting(state)
}

describe('byteAutomaton', () => {
  const numbers: Grammar = { type: 'repeat', item: { type: 'digits', max: 2 }, separator: ', ', min: 1, max: 3 }
  test.for([
    { name: 'a literal', grammar: literal('心é'), good: ['心é'], bad: ['', '心', '心éé'] },
    {
      name: 'a choice',
      grammar: { type: 'choice', options: [literal('ab'), literal('abc')] },
      good: ['ab', 'abc'],
      bad: ['a', 'abcd'],
    },
    {
      name: 'a bounded repetition',
      grammar: numbers,
      good: ['1', '12, 3', '1, 22, 33'],
      bad: ['', '123', '1,2', '1, 2, 3, 4', '1, '],
    },
    {
      name: 'an open repetition',
      grammar: { type: 'repeat', item: literal('x'), separator: '', min: 2 },
      good: ['xx', 'xxxxxx'],
      bad: ['', 'x', 'xy'],
    },
    {
      name: 'an optional repetition',
      grammar: { type: 'repeat', item: literal('x'), separator: '-', min: 0, max: 2 },
      good: ['', 'x', 'x-x'],
      bad: ['-', 'x-x-x'],
    },
    {
      name: 'text up to an end',
      grammar: { type: 'until', end: 'aab' },
      good: ['aab', 'aaab', 'xaaxaab', 'ab aab'],
      bad: ['', 'aa', 'aabx', 'aabaab'],
    },
  ] as const)('takes $name', ({ grammar, good, bad }) => {
    for (const text of good) expect([text, fits(grammar, text)]).toEqual([text, true])
    for (const text of bad) expect([text, fits(grammar, text)]).toEqual([text, false])
  })

  test('finds the first occurrence of any end in any text', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b') })
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 5 }), letters, (end, text) => {
        const first = text.indexOf(end)
        expect(fits({ type: 'until', end }, text)).toBe(first >= 0 && first + end.length === text.length)
      }),
    )
  })

  test('counts the bytes to the end', () => {
    const automaton = byteAutomaton({ type: 'choice', options: [literal('abc'), literal('x')] })
    expect(automaton.distance(0)).toBe(1)
    expect(automaton.distance(automaton.next(0, 0x61))).toBe(2)
    expect(automaton.longestDistance).toBe(2)
  })

  test.for([
    { name: 'a choice of nothing', grammar: { type: 'choice', options: [] } },
    {
      name: 'an impossible repetition',
      grammar: { type: 'repeat', item: literal('x'), separator: '', min: 3, max: 2 },
    },
    { name: 'text up to nothing', grammar: { type: 'until', end: '' } },
    { name: 'no digits', grammar: { type: 'digits', max: 0 } },
    { name: 'a grammar beyond all answers', grammar: literal('x'.repeat(30_000)) },
  ] as const)('refuses $name', ({ grammar }) => {
    expect(() => byteAutomaton(grammar)).toThrow(expect.objectContaining({ code: 'MODEL_OPTION_INVALID' }))
  })
})

describe('boxedLabels', () => {
  test('takes reasoning and one label, or several', () => {
    const [one, many] = [boxedLabels(['Normal', 'Effusion']), boxedLabels(['Normal', 'Effusion'], { multiple: true })]
    for (const grammar of [one, many]) expect(fits(grammar, 'There is fluid. \\boxed{Effusion}')).toBe(true)
    expect(fits(one, '\\boxed{Effusion, Normal}')).toBe(false)
    expect(fits(many, '\\boxed{Effusion, Normal}')).toBe(true)
    for (const text of ['\\boxed{}', '\\boxed{Edema}', 'Normal', '\\boxed{Normal} or not'])
      expect(fits(many, text)).toBe(false)
  })
})

function answerWith(boxes: string): string {
  return `<think>I look.</think>\n\`\`\`json\n[${boxes}]\n\`\`\`\n\\boxed{Cancer}`
}

describe('boxesAndLabels', () => {
  test('takes the whole form of an answer', () => {
    const grammar = boxesAndLabels(['mass'], ['Cancer', 'Normal'])
    expect(fits(grammar, answerWith(''))).toBe(true)
    expect(
      fits(
        grammar,
        answerWith('{"bbox_2d": [1, 22, 333, 4444], "label": "mass"}, {"bbox_2d": [0, 0, 9, 9], "label": "mass"}'),
      ),
    ).toBe(true)
    expect(fits(grammar, answerWith('{"bbox_2d": [1, 22, 333], "label": "mass"}'))).toBe(false)
    expect(fits(grammar, answerWith('{"bbox_2d": [1, 2, 3, 4], "label": "cat"}'))).toBe(false)
  })
})

describe('tokenConstraint', () => {
  const { model } = testModel()
  const { tokenizer, endTokenIds } = model
  const size = model.config.decoder.vocabSize
  const idsOf = (mask: Uint8Array): string[] =>
    Array.from(mask.keys())
      .filter(id => mask[id] === 1)
      .map(id => tokenizer.decode([id]))

  test('allows the tokens that go on, and an end token where the answer is complete', () => {
    const constraint = tokenConstraint(literal('ab'), tokenizer, endTokenIds, size)
    expect(idsOf(constraint.allowed(0, 100)).toSorted()).toEqual(
      ['a', 'ab'].filter(text => tokenizer.encode(text).length === 1),
    )
    const done = constraint.advance(constraint.advance(0, tokenizer.encode('a')[0]!), tokenizer.encode('b')[0]!)
    expect(idsOf(constraint.allowed(done, 100)).toSorted()).toEqual(['<|endoftext|>', '<|im_end|>'])
  })

  test('leaves only what can be completed when few tokens are left', () => {
    const constraint = tokenConstraint({ type: 'until', end: 'xy' }, tokenizer, endTokenIds, size)
    expect(constraint.leastTokens).toBe(3)
    expect(idsOf(constraint.allowed(0, 2))).toEqual(['x'])
    expect(idsOf(constraint.allowed(0, 50)).length).toBeGreaterThan(250)
  })
})
