import { requireFlat, type BracketLimits } from './body-counts.ts'
import { serverErrors } from './errors.ts'

/**
 * Parses a body.
 *
 * @param limits of its brackets
 * @throws SERVER_LIMIT_EXCEEDED, SERVER_BODY_NOT_JSON
 */
export function jsonBody(bytes: Uint8Array, limits: BracketLimits): unknown {
  const text = new TextDecoder().decode(bytes)
  requireFlat(text, limits)
  try {
    const value: unknown = JSON.parse(text)
    if (!hasPrototypeKey(text)) return value
  } catch {
    // said below
  }
  throw serverErrors.BODY_NOT_JSON({})
}

/** Whether a key has a name that could change what objects are; such a body is refused, whatever it means by it. */
function hasPrototypeKey(text: string): boolean {
  return /"(?:__proto__|constructor)"\s*:/.test(text)
}
