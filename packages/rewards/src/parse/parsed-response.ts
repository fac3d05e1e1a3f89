import { answerLabels } from './answer-labels.ts'
import type { BoxFormat, ResponseBox } from './box-entries.ts'
import { lastBoxed, type BoxedAnswer } from './boxed-answer.ts'
import { collectBlocks } from './json-blocks.ts'
import { createVocabulary, type LabelNames, type LabelVocabulary } from './label-vocabulary.ts'
import { createProblemLog, type Problem, type ProblemLog } from './problem.ts'
import { splitThink } from './think-sections.ts'

/** A response taken apart by the response contract: reasoning, boxes, boxed answer. Everything a reward reads. */
export interface ParsedResponse {
  /** The response as the policy wrote it. */
  readonly text: string
  /** The reasoning between the think tags, trimmed; undefined where there is none. */
  readonly think: string | undefined
  /** The boxes, in order; those written outside the reasoning, or else those inside it. */
  readonly boxes: readonly ResponseBox[]
  /** Content of the last balanced `\boxed{…}` outside the reasoning, trimmed; undefined where there is none. */
  readonly answer: string | undefined
  /** The answer's labels, without repetitions; known labels in the label list's spelling. */
  readonly labels: readonly string[]
  /** What was given up on or repaired. */
  readonly problems: readonly Problem[]
}

/** How a response is to be read. */
export interface ParseOptions extends LabelNames {
  /** What the four numbers of a box mean; `xyxy` by default, `xywh` as the paper writes. */
  readonly format?: BoxFormat | undefined
  /** A vocabulary made before, instead of `labels` and `aliases`. */
  readonly vocabulary?: LabelVocabulary | undefined
}

/**
 * Takes a response apart. Never throws, and costs time linear in the length of the text.
 *
 * @param text what the policy wrote: `<think>…</think>`, a fenced JSON list of boxes, `\boxed{label, …}`
 * @returns the parts; what is missing is undefined or empty, and `problems` says why
 * @example parseResponse('<think>…</think> \\boxed{Edema and Pneumonia}').labels // ['Edema', 'Pneumonia']
 */
export function parseResponse(text: string, options: ParseOptions = {}): ParsedResponse {
  const problems = createProblemLog()
  const { think, outside, reasoning } = splitThink(text, problems)
  const boxes = readBoxes(outside, reasoning, options.format ?? 'xyxy', problems)
  const boxed = lastBoxed(outside)
  reportBoxed(boxed, lastBoxed(reasoning).balanced, problems)
  const answer = boxed.content?.trim()
  const vocabulary = options.vocabulary ?? createVocabulary(options)
  const labels = answer === undefined ? [] : answerLabels(answer, vocabulary)
  const parsed = { text, think, boxes, answer, labels, problems: problems.list() }
  splits.set(parsed, { vocabulary, labels })
  return parsed
}

const splits = new WeakMap<ParsedResponse, { vocabulary: LabelVocabulary; labels: readonly string[] }>()

/** The labels of a response by a vocabulary, which need not be the one it was parsed with; the last one is remembered. */
export function labelsBy(response: ParsedResponse, vocabulary: LabelVocabulary): readonly string[] {
  const known = splits.get(response)
  if (known?.vocabulary === vocabulary) return known.labels
  const labels = response.answer === undefined ? [] : answerLabels(response.answer, vocabulary)
  splits.set(response, { vocabulary, labels })
  return labels
}

function readBoxes(
  outside: string,
  reasoning: string,
  format: BoxFormat,
  problems: ProblemLog,
): readonly ResponseBox[] {
  const boxes: ResponseBox[] = []
  collectBlocks(outside, { format, boxes, problems })
  if (boxes.length === 0) collectBlocks(reasoning, { format, boxes, problems })
  return boxes
}

function reportBoxed(boxed: BoxedAnswer, drafts: number, problems: ProblemLog): void {
  if (drafts > 0) problems.report({ type: 'boxed-in-think', count: drafts })
  if (boxed.unbalanced > 0) problems.report({ type: 'boxed-unbalanced', count: boxed.unbalanced })
  if (boxed.content === undefined) problems.report({ type: 'boxed-missing' })
  else if (boxed.content.trim() === '') problems.report({ type: 'boxed-empty' })
  if (boxed.balanced > 1) problems.report({ type: 'boxed-several', count: boxed.balanced })
}
