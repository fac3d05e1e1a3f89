import { nearestName } from './nearest-name.ts'

/** What a schema complains about: an issue of zod 4, as far as a sentence needs it. */
export interface SchemaIssue {
  readonly code?: string | undefined
  readonly message: string
  readonly expected?: unknown
  readonly values?: unknown
  readonly minimum?: unknown
  readonly maximum?: unknown
  readonly origin?: unknown
  readonly inclusive?: unknown
  readonly divisor?: unknown
  readonly keys?: unknown
  readonly errors?: unknown
}

/** How the libraries' own phrases begin; other messages were written for people. */
const ownPhrases = /^(invalid|too (small|big)|unrecognized)/i

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a group of fields',
  record: 'a group of fields',
  null: 'null',
  date: 'a date',
}

/**
 * Says in plain words what a value must be, as the end of a sentence: `must be a whole number`, `is missing`, `must be at least 1`.
 * The value itself is not said.
 *
 * @param issue the first issue of a parse that failed
 * @param received what stands there, where it is at hand: to tell a field that is missing, and for the nearest choice
 */
export function schemaProblem(issue: SchemaIssue | undefined, received?: unknown): string {
  if (issue === undefined) return 'does not fit'
  if (!ownPhrases.test(issue.message)) return lowerFirst(issue.message)
  switch (issue.code) {
    case 'invalid_type':
      return isMissing(issue, received) ? 'is missing' : `must be ${kindOf(issue.expected)}`
    case 'invalid_value':
      return choice(issue, received)
    case 'too_small':
      return size(issue, issue.minimum, 'at least', 'more than')
    case 'too_big':
      return size(issue, issue.maximum, 'at most', 'less than')
    case 'not_multiple_of':
      return `must be a multiple of ${String(issue.divisor)}`
    case 'invalid_format':
      return 'has another form than it must have'
    case 'unrecognized_keys':
      return `has a field that is not known, ${words(issue.keys).join(', ')}`
    case 'invalid_union':
      return form(issue, received)
    default:
      return 'does not fit'
  }
}

function isMissing({ message }: SchemaIssue, received: unknown): boolean {
  return received === undefined && /received undefined/.test(message)
}

function kindOf(expected: unknown): string {
  const name = String(expected)
  return (Object.hasOwn(kinds, name) ? kinds[name] : undefined) ?? `of the kind ${name}`
}

function choice(issue: SchemaIssue, received: unknown): string {
  const known = words(issue.values)
  const nearest = typeof received === 'string' ? nearestName(received, known) : undefined
  const meant = nearest === undefined ? '' : `; ${nearest} is the nearest`
  return known.length === 1 ? `must be ${known[0]}${meant}` : `must be one of ${known.join(', ')}${meant}`
}

/** Of forms some may be words of their own. */
function form({ errors }: SchemaIssue, received: unknown): string {
  const inner = (Array.isArray(errors) ? errors.flat() : []) as readonly SchemaIssue[] // of an issue of a union
  const values = inner.flatMap(({ code, values: own }) => (code === 'invalid_value' && Array.isArray(own) ? own : []))
  return values.length > 0
    ? `${choice({ message: '', values }, received)}, or of another form that it may have`
    : 'has none of the forms that it may have'
}

function size({ origin, inclusive }: SchemaIssue, limit: unknown, most: string, beyond: string): string {
  const bound = `${inclusive === false ? beyond : most} ${String(limit)}`
  if (origin === 'string')
    return limit === 1 && most === 'at least' ? 'must not be empty' : `must have ${bound} characters`
  if (origin === 'array' || origin === 'set')
    return limit === 1 && most === 'at least' ? 'must not be empty' : `must have ${bound} entries`
  return `must be ${bound}`
}

function words(values: unknown): string[] {
  return Array.isArray(values) ? values.map(String) : []
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
