import { boxArea } from './geometry/box.ts'
import { labelsBy, type ParsedResponse } from './parse/parsed-response.ts'
import type { Reward, Score } from './reward.ts'
import { hasImage, truthVocabulary, type Truth } from './truth.ts'

/**
 * Format reward of eq. 6: 1 where every predicted label has a box of its own name, else 0. A response without a label
 * scores 0, and a box without an area is no evidence. Where the sample has no image (an ECG), the rule is a closed,
 * non-empty reasoning and a boxed answer.
 */
export function format(response: ParsedResponse, truth: Truth): Score {
  return boxPerLabel(response, truth, noLabels)
}

/**
 * Format reward of eq. 6 that exempts the truth's `negativeLabels`: "No Finding" needs no box, since there is nothing to
 * box. Every other predicted label needs one. As printed, eq. 6 gives a right "No Finding" nothing.
 */
export const findingFormat: Reward = (response, truth) => {
  const vocabulary = truthVocabulary(truth)
  return boxPerLabel(response, truth, new Set((truth.negativeLabels ?? []).map(label => vocabulary.keyOf(label))))
}

const noLabels: ReadonlySet<string> = new Set()

function boxPerLabel(response: ParsedResponse, truth: Truth, exempt: ReadonlySet<string>): Score {
  if (!hasImage(truth))
    return { score: hasThink(response) && hasAnswer(response) ? 1 : 0, detail: { rule: 'think-boxed' } }
  const vocabulary = truthVocabulary(truth)
  const boxed = new Set(
    response.boxes.flatMap(box => (box.label === undefined || boxArea(box) === 0 ? [] : [vocabulary.keyOf(box.label)])),
  )
  const labels = labelsBy(response, vocabulary).map(label => vocabulary.keyOf(label))
  const supported = labels.filter(label => boxed.has(label) || exempt.has(label)).length
  const score = supported > 0 && supported === labels.length ? 1 : 0
  return { score, detail: { rule: 'box-per-label', labels: labels.length, supported } }
}

/**
 * A more forgiving format reward: 1 for a closed, non-empty reasoning, a boxed answer and, where the sample has an
 * image, at least one box, whatever its label.
 */
export const lenientFormat: Reward = (response, truth) => {
  const isWellFormed = hasThink(response) && hasAnswer(response)
  const score = isWellFormed && (!hasImage(truth) || response.boxes.length > 0) ? 1 : 0
  return { score, detail: { think: hasThink(response), answer: hasAnswer(response), boxes: response.boxes.length } }
}

function hasThink({ think, problems }: ParsedResponse): boolean {
  const isBroken = problems.some(({ type }) => type === 'think-unopened' || type === 'think-unclosed')
  return think !== undefined && think !== '' && !isBroken
}

function hasAnswer({ answer }: ParsedResponse): boolean {
  return answer !== undefined && answer !== ''
}
