import type { FastifySchemaValidationError } from 'fastify/types/schema.js'

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of fields',
  null: 'null',
}

/** What a validator's keyword complains about, in words; `limit` and such stand in the parameters. */
const problems: Readonly<Record<string, (params: Readonly<Record<string, unknown>>) => string>> = {
  type: ({ type }) => `must be ${[type].flat().map(kindOf).join(' or ')}`,
  enum: ({ allowedValues }) => `must be one of ${[allowedValues].flat().map(String).join(', ')}`,
  const: ({ allowedValue }) => `must be ${String(allowedValue)}`,
  required: ({ missingProperty }) => `lacks the field ${String(missingProperty)}`,
  minLength: ({ limit }) => (limit === 1 ? 'must not be empty' : `must have at least ${String(limit)} characters`),
  maxLength: ({ limit }) => `must have at most ${String(limit)} characters`,
  minItems: ({ limit }) => (limit === 1 ? 'must not be empty' : `must have at least ${String(limit)} entries`),
  maxItems: ({ limit }) => `must have at most ${String(limit)} entries`,
  minimum: ({ limit }) => `must be at least ${String(limit)}`,
  maximum: ({ limit }) => `must be at most ${String(limit)}`,
  exclusiveMinimum: ({ limit }) => `must be more than ${String(limit)}`,
  exclusiveMaximum: ({ limit }) => `must be less than ${String(limit)}`,
  multipleOf: ({ multipleOf }) => `must be a multiple of ${String(multipleOf)}`,
  pattern: () => 'has another form than it must have',
  discriminator: ({ tag }) => `has a ${String(tag)} that is not known`,
  format: () => 'has another form than it must have',
}

/** Says in plain words what a validator complains about, as the end of a sentence; values of the request are not said. */
export function plainProblem({ keyword, params, message }: FastifySchemaValidationError): string {
  const say = Object.hasOwn(problems, keyword) ? problems[keyword] : undefined
  return say ? say(params) : (message ?? 'does not fit')
}

/** A type of JSON in words. */
export function kindOf(type: unknown): string {
  const name = String(type)
  return (Object.hasOwn(kinds, name) ? kinds[name] : undefined) ?? name
}
