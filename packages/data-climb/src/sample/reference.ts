import { fillTemplate } from './fill-template.ts'
import { pickByHash } from './stable-hash.ts'
import type { BoxXyxy, PictureScale } from './sample.ts'

/** A finding that the truth states: what to call it in the box list, how to say it, and where it is. */
export interface Finding {
  /** Name in the box list. */
  readonly label: string
  /** A clause that completes "there is …", such as `a bright round mass in the upper left`. */
  readonly description?: string
  readonly box?: BoxXyxy
}

/** What a reference response is made from. */
export interface ReferenceParts {
  /** Decides the phrasing. */
  readonly sampleId: string
  readonly cue: string
  readonly answer: readonly string[]
  readonly findings?: readonly Finding[]
}

const openings = [
  'I look at the {cue}.',
  'This is a {cue}.',
  'I read the {cue} step by step.',
] as const satisfies readonly [string, ...string[]]

const conclusions = [
  'This fits {answer}.',
  'So the answer is {answer}.',
  'I conclude {answer}.',
] as const satisfies readonly [string, ...string[]]

/**
 * Writes the response that the SFT warm start imitates: a short reasoning from the true findings, the true boxes (an
 * empty list where there are none) and the boxed labels. It states nothing that the truth does not hold.
 *
 * @param scales of the pictures from how they are stored to how they are seen, by index; 1 where there is none
 */
export function referenceResponse(
  { sampleId, cue, answer, findings = [] }: ReferenceParts,
  scales: readonly PictureScale[] = [],
): string {
  const labels = answer.join(', ')
  const described = [
    ...new Set(findings.flatMap(({ description }) => (description === undefined ? [] : [description]))),
  ]
  const seen = described.length > 0 ? ` There is ${described.join(', and ')}.` : ''
  const opening = fillTemplate(pickByHash(openings, `opening|${sampleId}`), { cue })
  const conclusion = fillTemplate(pickByHash(conclusions, `conclusion|${sampleId}`), { answer: answer.join(' and ') })
  const boxes = findings.flatMap(({ label, box }) =>
    box === undefined ? [] : [boxEntry(label, box, scales[box.image ?? 0])],
  )
  return `<think>${opening}${seen} ${conclusion}</think>\n\`\`\`json\n[${boxes.join(', ')}]\n\`\`\`\n\\boxed{${labels}}`
}

/** The picture is named where it is not the first. */
function boxEntry(
  label: string,
  { x1, y1, x2, y2, image = 0 }: BoxXyxy,
  { x, y }: PictureScale = { x: 1, y: 1 },
): string {
  const place = image > 0 ? `, "image": ${image}` : ''
  return `{"bbox_2d": [${[x1 * x, y1 * y, x2 * x, y2 * y].map(Math.round).join(', ')}], "label": ${JSON.stringify(label)}${place}}`
}
