import { z } from 'zod'

const ErrorBody = z.object({
  error: z.object({ message: z.string(), type: z.string().nullish(), code: z.unknown().optional() }),
})

/** The longest message that is passed on. */
const maxLength = 300
/** A message that repeats so many words of a prompt is not passed on: prompts may hold patient data. */
const quotedWords = 3

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

/** Whether three words in a row, a number of some length, or all of a short text stand in the message. */
function shares(message: string, text: string): boolean {
  const [said, own] = [wordsOf(message), wordsOf(text)]
  if (own.length === 0) return false
  const numbers = new Set(own.filter(word => /\d{3}/.test(word)))
  if (said.some(word => numbers.has(word))) return true
  const length = Math.min(quotedWords, own.length)
  const runs = new Set(own.slice(0, own.length - length + 1).map((_word, at) => own.slice(at, at + length).join(' ')))
  return said.some((_word, at) => runs.has(said.slice(at, at + length).join(' ')))
}

/** Words and numbers in lower case; line breaks may be written as two characters. */
function wordsOf(text: string): string[] {
  return (
    text
      .replace(/\\[nrt]/g, ' ')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
