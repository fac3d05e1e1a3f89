import type { Completion, LocalPolicy, Message } from '@qoq-med/model'
import type { ParsedResponse } from '@qoq-med/rewards'
import { complete } from '../complete.ts'
import { researchNotice } from '../research-notice.ts'
import { textTable } from '../text-table.ts'

interface PictureSize {
  readonly width: number
  readonly height: number
}

/** An answer with the boxes in pixels of the files. */
export interface Answered {
  readonly model: string
  readonly completion: Completion
  readonly parsed: ParsedResponse
  /** How many pictures were looked at. */
  readonly pictures: number
  readonly probabilities: Readonly<Record<string, number>> | undefined
  readonly warnings: readonly string[]
}

/** A question's labels, the pictures that it is about, and how the answer is sampled. */
export interface AnswerOptions {
  readonly label: readonly string[]
  readonly multi: boolean
  /** Pictures, frames and slices as stored, in the order of the prompt. */
  readonly pictures: readonly PictureSize[]
  readonly warnings: readonly string[]
  readonly maxNewTokens: number
  readonly temperature: number
  readonly seed: number
  readonly signal: AbortSignal
}

/** Asks a policy, and takes the boxes of its answer to pixels of the files. @throws CLI_INTERRUPTED, and what the policy throws */
export async function answerQuestion(
  policy: LocalPolicy,
  message: Message,
  { label, multi, pictures, warnings, signal, maxNewTokens, temperature, seed }: AnswerOptions,
): Promise<Answered> {
  const prompt = policy.model.encode([message])
  const { labelProbabilities, reasonedLabels } = await import('@qoq-med/model')
  const grammar = label.length === 0 ? {} : { grammar: reasonedLabels(label, { multiple: multi }) }
  const completion = await complete(policy, { prompt, maxNewTokens, temperature, seed, ...grammar }, signal)
  const { parseResponse } = await import('@qoq-med/rewards')
  const { inStoredPixels } = await import('@qoq-med/eval')
  const response = parseResponse(completion.text, { labels: label })
  const parsed = inStoredPixels(response, pictures, policy.model.seenSize)
  const probabilities =
    label.length > 1
      ? await labelProbabilities(policy, { prompt, answered: completion.text, labels: label, signal })
      : undefined
  return { model: policy.info.name, completion, parsed, pictures: pictures.length, probabilities, warnings }
}

/** The answer for programs. */
export function answerDocument({ model, completion, parsed, probabilities, warnings }: Answered): object {
  return {
    model,
    text: completion.text,
    reasoning: parsed.think ?? null,
    boxes: parsed.boxes.map(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2].map(pixel)),
    boxLabels: parsed.boxes.map(({ label }) => label ?? null),
    boxImages: parsed.boxes.map(({ image }) => image ?? 0),
    answer: parsed.answer ?? null,
    labels: parsed.labels,
    ...(probabilities && { probabilities }),
    problems: parsed.problems,
    warnings,
    finish: completion.finish,
    tokens: completion.tokenIds.length,
    notice: researchNotice,
  }
}

/** The answer for people. */
export function answerText({ completion: { text, finish }, parsed, pictures, probabilities = {} }: Answered): string {
  const answer = parsed.labels.length > 0 ? parsed.labels.join(', ') : (parsed.answer ?? '')
  return [
    `Reasoning: ${parsed.think ?? 'none given'}`,
    parsed.boxes.length === 0 ? 'Boxes: none' : `Boxes (pixels of the file):\n${boxTable(parsed.boxes, pictures > 1)}`,
    answer === '' ? `Answer: none in the response:\n${text}` : `Answer: ${answer}`,
    ...probabilityLines(probabilities),
    ...(finish === 'length' ? ['The response was cut off; raise --max-new-tokens for the rest.'] : []),
    '',
    researchNotice,
  ].join('\n')
}

/** Pictures are counted from 1, and named where there are several. */
function boxTable(boxes: ParsedResponse['boxes'], namesPictures: boolean): string {
  const heads = ['label', ...(namesPictures ? ['picture'] : []), 'x1', 'y1', 'x2', 'y2']
  const rows = boxes.map(({ x1, y1, x2, y2, label = '', image = 0 }) => [
    label,
    ...(namesPictures ? [String(image + 1)] : []),
    ...[x1, y1, x2, y2].map(one => String(pixel(one))),
  ])
  return textTable([heads, ...rows])
}

/** The likeliest first. */
function probabilityLines(probabilities: Readonly<Record<string, number>>): string[] {
  const rows = Object.entries(probabilities).toSorted(([, a], [, b]) => b - a)
  if (rows.length === 0) return []
  return [`Probabilities:\n${textTable(rows.map(([label, value]) => [label, value.toFixed(3)]))}`]
}

/** To a tenth of a pixel: the conversion between picture sizes leaves long fractions. */
function pixel(value: number): number {
  return Math.round(value * 10) / 10
}
