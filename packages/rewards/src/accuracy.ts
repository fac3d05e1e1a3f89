import { labelKeys } from './parse/answer-labels.ts'
import { labelsBy, type ParsedResponse } from './parse/parsed-response.ts'
import type { Score } from './reward.ts'
import { truthVocabulary, type Truth } from './truth.ts'

/**
 * F1 of two sets (section 3.4): `2 |a ∩ b| / (|a| + |b|)`.
 *
 * @returns a number in [0, 1]; two empty sets agree, so they give 1
 */
export function setF1(predicted: ReadonlySet<string>, truth: ReadonlySet<string>): number {
  const size = predicted.size + truth.size
  return size === 0 ? 1 : (2 * shared(predicted, truth)) / size
}

/**
 * Accuracy reward of section 3.4: F1 of the predicted and the true label sets. Labels are compared without regard to
 * order, case, surrounding punctuation and Unicode form, and through the truth's aliases. A response without any
 * `\boxed{…}` has not answered and scores 0, also where the true set is empty.
 */
export function accuracy(response: ParsedResponse, truth: Truth): Score {
  const { predicted, expected } = labelSets(response, truth)
  const score = response.answer === undefined ? 0 : setF1(predicted, expected)
  return { score, detail: { predicted: predicted.size, expected: expected.size, shared: shared(predicted, expected) } }
}

/** 1 where the predicted and the true label sets are equal and the response has answered, else 0. */
export function exactMatch(response: ParsedResponse, truth: Truth): Score {
  return { score: accuracy(response, truth).score === 1 ? 1 : 0 }
}

/**
 * Accuracy by the task: for a single-answer question 1 where exactly the true label is given, else 0, since naming both
 * of two classes is no answer; the F1 of section 3.4 where several labels may apply.
 */
export function taskAccuracy(response: ParsedResponse, truth: Truth): Score {
  return truth.answerMode === 'single' ? exactMatch(response, truth) : accuracy(response, truth)
}

function labelSets(
  response: ParsedResponse,
  truth: Truth,
): { predicted: ReadonlySet<string>; expected: ReadonlySet<string> } {
  const vocabulary = truthVocabulary(truth)
  return {
    predicted: labelKeys(labelsBy(response, vocabulary), vocabulary),
    expected: labelKeys(truth.answer, vocabulary),
  }
}

function shared(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let count = 0
  for (const item of a) if (b.has(item)) count += 1
  return count
}
