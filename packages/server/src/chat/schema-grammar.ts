import type { Grammar } from '@qoq-med/model'
import { serverErrors } from '../errors.ts'

/** Nested schemas: answers are short documents. */
const maxDepth = 8
/** Pieces of a grammar: its automaton is built anew for each request. */
const maxPieces = 2000
const maxDigits = 12
const maxItems = 64

/** Keywords that say nothing on the form of a value. */
const notes: ReadonlySet<string> = new Set(['title', 'description', '$schema', '$comment', 'examples', 'default'])
/** Keywords that are understood, by the type that they belong to. */
const understood: Readonly<Record<string, readonly string[]>> = {
  string: [],
  number: [],
  integer: [],
  boolean: [],
  null: [],
  array: ['items', 'minItems', 'maxItems'],
  object: ['properties', 'required', 'additionalProperties'],
}
/** Other keywords of JSON Schema: they are named where they are refused. */
const known: ReadonlySet<string> = new Set(
  'pattern format minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf oneOf allOf not if then else $ref $defs definitions prefixItems contains uniqueItems patternProperties propertyNames minProperties maxProperties dependentRequired dependentSchemas unevaluatedProperties unevaluatedItems contentEncoding contentMediaType'.split(
    ' ',
  ),
)

type Schema = Readonly<Record<string, unknown>>

const literal = (text: string): Grammar => ({ type: 'literal', text })
const choice = (...options: readonly Grammar[]): Grammar => ({ type: 'choice', options })
const sequence = (...parts: readonly Grammar[]): Grammar => ({ type: 'sequence', parts })

/** Printable ASCII but for the two that end or escape: a text is held to what is JSON wherever it stops. */
const textCharacters = Array.from({ length: 95 }, (_, i) => String.fromCodePoint(32 + i)).filter(
  character => character !== '"' && character !== '\\',
)
const text = sequence(
  literal('"'),
  { type: 'repeat', item: choice(...textCharacters.map(literal)), separator: '', min: 0 },
  literal('"'),
)
const positive = sequence(
  choice(...'123456789'.split('').map(literal)),
  choice(literal(''), { type: 'digits', max: maxDigits }),
)
const integer = choice(literal('0'), positive, sequence(literal('-'), positive))
const number = choice(
  integer,
  sequence(choice(literal(''), literal('-')), choice(literal('0'), positive), literal('.'), {
    type: 'digits',
    max: maxDigits,
  }),
)

/**
 * The grammar of the JSON documents that a schema allows: enums, constants, strings of printable ASCII, numbers, booleans, arrays,
 * objects whose properties are all required, in their order, `anyOf`, and references to definitions at the top, as clients write
 * them for types of their own.
 *
 * @throws SERVER_SCHEMA_UNSUPPORTED for everything else, by its name
 */
export function schemaGrammar(schema: unknown): Grammar {
  const budget = { pieces: maxPieces }
  if (typeof schema !== 'object' || schema === null) return grammarOf(schema, { depth: 0, budget, definitions: {} })
  const { $defs, definitions, ...top } = schema as Schema // an object
  return grammarOf(top, { depth: 0, budget, definitions: { $defs, definitions } })
}

interface Place {
  readonly depth: number
  /** The lists of definitions, by the name that references have for each. */
  readonly definitions: Schema
  readonly budget: { pieces: number }
}

function grammarOf(schema: unknown, { depth, budget, definitions }: Place): Grammar {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    throw refused('a schema that is no object')
  if (depth > maxDepth) throw refused(`schemas nested deeper than ${maxDepth}`)
  const fields = schema as Schema // an object
  const place = { depth: depth + 1, budget, definitions }
  spend(budget, 1)
  if ('$ref' in fields)
    return onlyWith(fields, ['$ref'], () => grammarOf(definitionOf(fields['$ref'], definitions), place))
  if ('const' in fields) return onlyWith(fields, ['const', 'type'], () => value(fields['const']))
  if ('enum' in fields)
    return onlyWith(fields, ['enum', 'type'], () => choice(...listOf(fields['enum'], budget).map(value)))
  if ('anyOf' in fields)
    return onlyWith(fields, ['anyOf'], () =>
      choice(...listOf(fields['anyOf'], budget).map(one => grammarOf(one, place))),
    )
  const { type } = fields
  const unheld = Object.keys(fields).find(keyword => known.has(keyword))
  if (unheld !== undefined) throw refused(unheld)
  const keywords = typeof type === 'string' && Object.hasOwn(understood, type) ? understood[type] : undefined
  if (typeof type !== 'string' || !keywords)
    throw refused('a type that is none of string, number, integer, boolean, null, array and object')
  return onlyWith(fields, ['type', ...keywords], () => typed(type, fields, place))
}

/** What a reference stands for; one that leads into itself nests too deep. */
function definitionOf(reference: unknown, definitions: Schema): unknown {
  const [, kind = '', name = ''] = /^#\/(\$defs|definitions)\/(\w+)$/.exec(String(reference)) ?? []
  const found = definitions[kind]
  if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name))
    throw refused('a $ref to anything but a definition at the top')
  return (found as Schema)[name] // it has one of that name
}

function typed(type: string, fields: Schema, place: Place): Grammar {
  if (type === 'string') return text
  if (type === 'integer') return integer
  if (type === 'number') return number
  if (type === 'boolean') return choice(literal('true'), literal('false'))
  if (type === 'null') return literal('null')
  return type === 'array' ? list(fields, place) : object(fields, place)
}

function list({ items, minItems = 0, maxItems: most = maxItems }: Schema, place: Place): Grammar {
  if (!isCount(minItems) || !isCount(most) || most < Math.max(1, minItems) || most > maxItems)
    throw refused(`lists of other than up to ${maxItems} items`)
  const before = place.budget.pieces
  const item = grammarOf(items, place)
  spend(place.budget, (before - place.budget.pieces) * most) // it is written out for every item
  return sequence(literal('['), { type: 'repeat', item, separator: ', ', min: minItems, max: most }, literal(']'))
}

function object({ properties, required, additionalProperties = false }: Schema, place: Place): Grammar {
  if (additionalProperties !== false) throw refused('additionalProperties other than false')
  const rows = Object.entries(typeof properties === 'object' && properties !== null ? properties : {})
  const names = Array.isArray(required) ? required : []
  if (rows.some(([name]) => !names.includes(name))) throw refused('properties that are not required')
  const members = rows.map(([name, one], i) =>
    sequence(literal(`${i === 0 ? '' : ', '}${JSON.stringify(name)}: `), grammarOf(one, place)),
  )
  return sequence(literal('{'), ...members, literal('}'))
}

/** Refuses keywords beside those that are understood here. */
function onlyWith(fields: Schema, keywords: readonly string[], make: () => Grammar): Grammar {
  const other = Object.keys(fields).find(keyword => !keywords.includes(keyword) && !notes.has(keyword))
  if (other !== undefined) throw refused(known.has(other) ? other : 'a keyword that does not belong there')
  return make()
}

function value(constant: unknown): Grammar {
  if (typeof constant === 'object' && constant !== null) throw refused('constants that are lists or objects')
  return literal(JSON.stringify(constant))
}

function listOf(values: unknown, budget: Place['budget']): readonly unknown[] {
  if (!Array.isArray(values) || values.length === 0) throw refused('an empty choice')
  spend(budget, values.length)
  return values
}

function spend(budget: Place['budget'], pieces: number): void {
  budget.pieces -= pieces
  if (budget.pieces < 0) throw refused(`schemas of more than ${maxPieces} pieces`)
}

function isCount(count: unknown): count is number {
  return Number.isSafeInteger(count) && Number(count) >= 0
}

function refused(what: string): Error {
  return serverErrors.SCHEMA_UNSUPPORTED({ what })
}
