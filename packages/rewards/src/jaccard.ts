import type { ParsedResponse } from './parse/parsed-response.ts'
import type { Score } from './reward.ts'
import type { Truth } from './truth.ts'

/**
 * Jaccard index of the words of the boxed answer and of the true answer, for open-ended questions: `|a ∩ b| / |a ∪ b|`.
 * Words are runs of letters and digits, compared in lower case and NFKC form. No answer scores 0; two empty ones, 1.
 */
export function jaccard(response: ParsedResponse, truth: Truth): Score {
  if (response.answer === undefined) return { score: 0, detail: { shared: 0, union: 0 } }
  const predicted = wordSet(response.answer)
  const expected = wordSet(truth.answer.join(' '))
  const shared = [...predicted].filter(word => expected.has(word)).length
  const union = predicted.size + expected.size - shared
  return { score: union === 0 ? 1 : shared / union, detail: { shared, union } }
}

function wordSet(text: string): ReadonlySet<string> {
  return new Set(
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [],
  )
}
