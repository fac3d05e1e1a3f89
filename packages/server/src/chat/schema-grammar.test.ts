import type { Grammar } from '@qoq-med/model'
import { describe, expect, test } from 'vitest'
import { schemaGrammar } from './schema-grammar.ts'

/** Whether a text fits a grammar, by trying: the ends that each piece may have, independent of how answers are held. */
function fits(grammar: Grammar, text: string): boolean {
  return endsOf(grammar, text, 0).includes(text.length)
}

function endsOf(grammar: Grammar, text: string, at: number): number[] {
  switch (grammar.type) {
    case 'literal':
      return text.startsWith(grammar.text, at) ? [at + grammar.text.length] : []
    case 'choice':
      return [...new Set(grammar.options.flatMap(one => endsOf(one, text, at)))]
    case 'sequence':
      return grammar.parts.reduce((ends, part) => [...new Set(ends.flatMap(end => endsOf(part, text, end)))], [at])
    case 'digits': {
      const found = /^\d+/.exec(text.slice(at))?.[0].length ?? 0
      return Array.from({ length: Math.min(found, grammar.max) }, (_, i) => at + i + 1)
    }
    case 'repeat':
      return repeatEnds(grammar, text, at)
    default:
      return [] // free text, which no schema needs
  }
}

function repeatEnds(
  { item, separator, min, max = 1000 }: Extract<Grammar, { type: 'repeat' }>,
  text: string,
  at: number,
): number[] {
  const all = new Set<number>(min === 0 ? [at] : [])
  let ends = [at]
  for (let count = 1; count <= max && ends.length > 0; count++) {
    const starts =
      count === 1 ? ends : ends.flatMap(end => (text.startsWith(separator, end) ? [end + separator.length] : []))
    ends = [...new Set(starts.flatMap(start => endsOf(item, text, start)))]
    if (count >= min) for (const end of ends) all.add(end)
  }
  return [...all]
}

const finding = {
  type: 'object',
  properties: {
    label: { type: 'string', enum: ['Normal', 'Effusion'] },
    side: { anyOf: [{ const: 'left' }, { type: 'null' }] },
    size: { type: 'number' },
    count: { type: 'integer', description: 'how many' },
    seen: { type: 'boolean' },
    note: { type: 'string' },
    places: { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 3 },
  },
  required: ['label', 'side', 'size', 'count', 'seen', 'note', 'places'],
  additionalProperties: false,
}

describe('schemaGrammar', () => {
  const document =
    '{"label": "Normal", "side": null, "size": -0.5, "count": 12, "seen": true, "note": "a b", "places": [1, 0]}'
  test('holds answers to documents of the schema, which are JSON', () => {
    expect(fits(schemaGrammar(finding), document)).toBe(true)
    expect(JSON.parse(document)).toMatchObject({ label: 'Normal', places: [1, 0] })
  })

  test.for<[string, string, string]>([
    ['another label', 'Normal', 'Fine'],
    ['another constant', 'null', '"right"'],
    ['a number that is no JSON', '-0.5', '-.5'],
    ['a leading zero', '12', '012'],
    ['a fraction for an integer', '12', '1.5'],
    ['a list that is too long', '[1, 0]', '[1, 0, 2, 3]'],
    ['an empty list', '[1, 0]', '[]'],
    ['a text that ends too soon', 'a b', 'a"b'],
    ['an escape that is none', 'a b', String.raw`a\qb`],
    ['a line end in a text', 'a b', 'a\nb'],
    ['a missing property', '"seen": true, ', ''],
    ['something behind', ']}', ']} and more'],
  ])('refuses %s', ([, from, to]) => {
    expect(fits(schemaGrammar(finding), document.replace(from, to))).toBe(false)
  })

  test.for(['$defs', 'definitions'])('follows references into %s', list => {
    const box = { type: 'object', properties: { x: { $ref: `#/${list}/Side` } }, required: ['x'] }
    const schema = {
      type: 'array',
      items: { $ref: `#/${list}/Box` },
      [list]: { Box: box, Side: { type: 'integer' } },
    }
    expect(fits(schemaGrammar(schema), '[{"x": 3}, {"x": -1}]')).toBe(true)
    expect(fits(schemaGrammar(schema), '[{"x": null}]')).toBe(false)
  })

  test('refuses a definition that leads into itself', () => {
    const list = { type: 'array', items: { $ref: '#/$defs/List' } }
    expect(() => schemaGrammar({ $ref: '#/$defs/List', $defs: { List: list } })).toThrow(/nested deeper|pieces/)
  })

  test.for<[string, unknown]>([
    ['pattern', { type: 'string', pattern: 'a+' }],
    ['minimum', { type: 'number', minimum: 0 }],
    ['oneOf', { oneOf: [{ type: 'string' }] }],
    ['\\$ref', { $ref: '#/$defs/a' }],
    ['\\$ref', { $ref: '#/$defs/constructor', $defs: {} }],
    ['\\$ref', { $ref: 'https://example.org/Meier.json' }],
    ['\\$defs', { type: 'array', items: { type: 'null', $defs: {} } }],
    ['not required', { type: 'object', properties: { a: { type: 'string' } }, required: [] }],
    ['additionalProperties', { type: 'object', properties: {}, additionalProperties: true }],
    ['a type', { type: 'date' }],
    ['a type', { type: ['string', 'null'] }],
    ['a type', { type: 'constructor' }],
    ['no object', { type: 'array', items: 5 }],
    ['empty choice', { enum: [] }],
    ['lists or objects', { const: { a: 1 } }],
    ['up to 64', { type: 'array', items: { type: 'null' }, maxItems: 1e9 }],
    ['does not belong', { type: 'string', MeierHans: 1 }],
    ['pieces', { enum: Array.from({ length: 5000 }, (_, i) => i) }],
  ])('refuses by name: %s', ([name, schema]) => {
    expect(() => schemaGrammar(schema)).toThrow(
      expect.objectContaining({ code: 'SERVER_SCHEMA_UNSUPPORTED', message: expect.stringMatching(name) }),
    )
    expect(() => schemaGrammar(schema)).not.toThrow(
      expect.objectContaining({ message: expect.stringContaining('Meier') }),
    )
  })

  test('refuses what nests too deep, and lists of lists that would be written out too often', () => {
    let deep: object = { type: 'null' }
    for (let i = 0; i < 10; i++) deep = { anyOf: [deep] }
    expect(() => schemaGrammar(deep)).toThrow(/nested deeper/)
    let wide: object = { type: 'null' }
    for (let i = 0; i < 4; i++) wide = { type: 'array', items: wide }
    expect(() => schemaGrammar(wide)).toThrow(/pieces/)
  })
})
