import { listOf } from '../json-values.ts'

/** A JSON schema as a route was registered with it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** A field of a body: where it stands, what it may hold, and whether it has to be there. */
export interface SchemaField {
  /** Such as `messages[].content`. */
  readonly path: string
  readonly type: string
  readonly isRequired: boolean
}

/** Objects, lists and choices inside each other: the parts of messages are eight. */
const maxDepth = 12

/** Lists the fields that a schema describes, those of objects and of the items of lists after the field that holds them. */
export function schemaFields(schema: JsonSchema, path = '', depth = 0): SchemaField[] {
  if (depth > maxDepth) return []
  const rows = Object.entries(recordOf(schema['properties'])).flatMap(([name, one]) => {
    const field = recordOf(one)
    const at = path === '' ? name : `${path}.${name}`
    const isRequired = listOf(schema['required']).includes(name)
    return [{ path: at, type: typeWords(field), isRequired }, ...schemaFields(field, at, depth + 1)]
  })
  const inside = variants(schema).flatMap(one => schemaFields(one, path, depth + 1))
  const items = schema['items'] === undefined ? [] : schemaFields(recordOf(schema['items']), `${path}[]`, depth + 1)
  return firstOfEach([...rows, ...inside, ...items])
}

/** What a value may be, in words: `string`, `array of object`, `"single" or "multi"`. */
function typeWords(schema: JsonSchema): string {
  if ('const' in schema) return JSON.stringify(schema['const'])
  if (schema['enum'] !== undefined) return orOf(listOf(schema['enum']).map(value => JSON.stringify(value)))
  const kinds = variants(schema)
  if (kinds.length > 0) return orOf(kinds.map(typeWords))
  const type = [schema['type'] ?? 'anything'].flat().map(String)
  if (type.includes('array')) return `array of ${typeWords(recordOf(schema['items'] ?? {}))}`
  return `${orOf(type)}${rangeWords(schema)}`
}

/** Whole numbers of JSON have a range of their own, which says nothing. */
function rangeWords({ minimum, exclusiveMinimum, maximum }: JsonSchema): string {
  const most = typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? ` to ${maximum}` : ''
  if (typeof exclusiveMinimum === 'number' && exclusiveMinimum > Number.MIN_SAFE_INTEGER)
    return ` above ${exclusiveMinimum}${most}`
  return typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER ? ` from ${minimum}${most}` : most
}

function variants(schema: JsonSchema): JsonSchema[] {
  return [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])].map(recordOf)
}

/** A field of several variants is listed once, with all that it may be; it has to be there if every one of them asks for it. */
function firstOfEach(fields: readonly SchemaField[]): SchemaField[] {
  const rows = new Map<string, SchemaField>()
  for (const field of fields) {
    const known = rows.get(field.path)
    const type = known && !known.type.split(' or ').includes(field.type) ? `${known.type} or ${field.type}` : field.type
    rows.set(field.path, { ...field, type: known && known.type === field.type ? known.type : type })
  }
  return [...rows.values()]
}

function orOf(words: readonly string[]): string {
  return [...new Set(words)].join(' or ')
}

function recordOf(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? (value as JsonSchema) : {} // an object
}
