import type { ParsedResponse } from '../parse/parsed-response.ts'
import { setF1 } from '../accuracy.ts'
import type { Score } from '../reward.ts'
import type { Truth } from '../truth.ts'

/** Separators of the public code, in its order: the first one that occurs splits, the others do not. */
const separators = [', ', ' and ', ' & ', ',', '&']

/**
 * The public code's accuracy: F1 of two sets of conditions, where only the first separator that occurs splits the text,
 * case counts, closing braces are dropped, and an answer without a box, or of "None", scores 0.
 */
export function releaseAccuracy(response: ParsedResponse, truth: Truth): Score {
  const answer = releaseAnswer(response.text)
  if (answer === 'None') return { score: 0 }
  return { score: setF1(releaseConditions(answer), releaseConditions(truth.answer.join(', '))) }
}

/** The content of the last `\boxed{`, by counting braces; "None" where it is missing or does not close. */
export function releaseAnswer(text: string): string {
  const opening = '\\boxed{'
  const start = text.lastIndexOf(opening)
  if (start < 0) return 'None'
  let depth = 0
  for (let i = start + opening.length; i < text.length; i++) {
    if (text[i] === '{') depth += 1
    else if (text[i] === '}') depth -= 1
    if (depth < 0) return text.slice(start + opening.length, i).trim()
  }
  return 'None'
}

/** The set of conditions the public code reads from a text; a blank condition counts. */
export function releaseConditions(text: string): ReadonlySet<string> {
  const plain = text.replaceAll('\\boxed{', '').replaceAll('}', '')
  const separator = separators.find(candidate => plain.includes(candidate))
  const conditions = separator === undefined ? [plain] : plain.split(separator)
  return new Set(conditions.map(condition => condition.trim()))
}
