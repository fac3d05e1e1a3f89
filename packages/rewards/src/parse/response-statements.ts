import { parseResponse } from './parsed-response.ts'

/**
 * Takes the reasoning of a response apart into its sentences (by the rules of Unicode for English), as people and judges
 * grade them.
 *
 * @returns none where the response has no reasoning
 */
export function responseStatements(response: string): string[] {
  const { think = '' } = parseResponse(response)
  const sentences = [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(think)]
  return sentences.map(({ segment }) => segment.trim()).filter(text => /\p{L}/u.test(text))
}
