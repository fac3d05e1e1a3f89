import { HintedError, isHintedError } from '@qoq-med/errors'
import { z } from 'zod'
import { requireFewRows } from '../body-counts.ts'
import { ownNames, withoutWordsOf } from '../error-response.ts'
import { serverErrors } from '../errors.ts'
import { jsonBody } from '../json-body.ts'
import type { ServerLimits } from '../limits.ts'
import { kindOf } from '../plain-problem.ts'

/** A body of rewards or advantages as it came: the thread that works on it parses it, too. */
export interface BatchWork {
  readonly bytes: Uint8Array
  readonly limits: Pick<ServerLimits, 'nesting' | 'brackets' | 'rows' | 'tokens'>
}

/**
 * Parses, counts and checks a body, and works on it.
 *
 * @returns JSON in UTF-8
 * @throws SERVER_BODY_NOT_JSON, SERVER_LIMIT_EXCEEDED, SERVER_REQUEST_INVALID, and the errors of the work without words of the body
 */
export async function answerBatch<Body>(
  { bytes, limits }: BatchWork,
  schema: z.ZodType<Body>,
  work: (body: Body) => Promise<string> | string,
): Promise<Uint8Array> {
  const value = jsonBody(bytes, limits)
  requireFewRows(value, limits)
  const checked = schema.safeParse(value)
  if (!checked.success) throw invalidBody(checked.error, schema)
  try {
    return new TextEncoder().encode(await work(checked.data))
  } catch (thrown) {
    if (!isHintedError(thrown)) throw thrown
    const { code, message, hint, status } = withoutWordsOf(thrown, value)
    throw new HintedError(code, message, hint, { cause: thrown, status })
  }
}

/** Says of a body what a validator of JSON schemas says of others. */
function invalidBody({ issues }: z.ZodError, schema: z.ZodType): HintedError {
  const [issue] = issues
  const names = issue?.path.map(String) ?? []
  const field = ownNames(names)
  if (issue?.code === 'unrecognized_keys') {
    const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
    return serverErrors.REQUEST_INVALID({
      field,
      problem: `has a field that is not known here; known are ${known.join(', ')}`,
    })
  }
  return serverErrors.REQUEST_INVALID({ field, problem: problemOf(issue) })
}

function problemOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'invalid_type')
    return `must be ${kindOf(issue.expected === 'record' ? 'object' : issue.expected)}`
  if (issue?.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`
  return issue?.code === 'too_small' ? 'must not be empty' : 'does not fit'
}
