import type { Finding } from './reference.ts'
import type { BoxXyxy, PictureScale } from './sample.ts'

/** How samples ask and answer: in sentences with reasoning, or in a few tokens, for studies with small policies. */
export const sampleForms = ['full', 'short'] as const

/** One of `sampleForms`. */
export type SampleForm = (typeof sampleForms)[number]

/**
 * The question of the short form: no labels and no instructions, which a policy learns in its warm start.
 *
 * @example shortQuestion('chest X-ray') // 'chest X-ray?'
 */
export function shortQuestion(cue: string): string {
  return `${cue}?`
}

/**
 * The reference response of the short form: the box of the largest finding that has one, then the boxed labels.
 *
 * @param scales of the pictures from how they are stored to how they are seen, by index; 1 where there is none
 * @example '{"box":[12,34,56,78]}\\boxed{Lung Lesion}'
 */
export function shortResponse(
  { answer, findings = [] }: { readonly answer: readonly string[]; readonly findings?: readonly Finding[] },
  scales: readonly PictureScale[] = [],
): string {
  const boxes = findings.flatMap(({ box }) => box ?? [])
  const largest = boxes.reduce<BoxXyxy | undefined>((best, box) => (area(box) > area(best) ? box : best), undefined)
  return `${largest === undefined ? '' : boxText(largest, scales[largest.image ?? 0])}\\boxed{${answer.join(', ')}}`
}

function area(box: BoxXyxy | undefined): number {
  return box === undefined ? -1 : (box.x2 - box.x1) * (box.y2 - box.y1)
}

function boxText({ x1, y1, x2, y2, image = 0 }: BoxXyxy, { x, y }: PictureScale = { x: 1, y: 1 }): string {
  const corners = [x1 * x, y1 * y, x2 * x, y2 * y].map(Math.round).join(',')
  return `{"box":[${corners}]${image > 0 ? `,"image":${image}` : ''}}`
}
