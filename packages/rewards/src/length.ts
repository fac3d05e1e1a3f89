import type { ParsedResponse } from './parse/parsed-response.ts'
import type { Score } from './reward.ts'

/** Characters above which the public code pays the whole length score at once. */
const fullLength = 600

/**
 * The public code's length reward: 0.001 per character (Unicode code point) up to 600 of them, 1 above: it jumps from
 * 0.6 to 1 at 601 characters. Not in the paper.
 */
export function length(response: ParsedResponse): Score {
  const characters = countCodePoints(response.text, fullLength + 1)
  return { score: characters > fullLength ? 1 : characters * 0.001, detail: { characters } }
}

/** Counts code points, up to `limit`. */
function countCodePoints(text: string, limit: number): number {
  let count = 0
  for (let i = 0; i < text.length && count < limit; count++) i += (text.codePointAt(i) ?? 0) > 0xffff ? 2 : 1
  return count
}
