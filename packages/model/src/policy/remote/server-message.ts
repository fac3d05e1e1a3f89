import { z } from 'zod'

const ErrorBody = z.object({ error: z.object({ message: z.string(), type: z.string().nullish(), code: z.unknown() }) })

/** The longest message that is passed on. */
const maxLength = 300
/** A message that repeats this much of a prompt is not passed on: prompts may hold patient data. */
const quotedLength = 16

/**
 * What a server says of a refused request, where it says it in OpenAI's form and repeats nothing of the request.
 *
 * @param texts of the request
 */
export function serverMessage(body: string, texts: readonly string[]): string | undefined {
  const parsed = ErrorBody.safeParse(jsonOrNothing(body))
  if (!parsed.success) return undefined
  const message = parsed.data.error.message.slice(0, maxLength)
  const isQuote = texts.some(text => shares(message, text))
  return isQuote ? undefined : message
}

/** Whether a stretch of the text stands in the message; of a short text, the whole of it between other characters. */
function shares(message: string, text: string): boolean {
  if (text.length === 0) return false
  if (text.length < quotedLength) return wordsOf(message).includes(wordsOf(text))
  for (let at = 0; at + quotedLength <= message.length; at++)
    if (text.includes(message.slice(at, at + quotedLength))) return true
  return false
}

/** Words between single blanks, with a blank at either end. */
function wordsOf(text: string): string {
  return ` ${text.split(/[^\p{L}\p{N}]+/u).join(' ')} `.replaceAll('  ', ' ')
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
