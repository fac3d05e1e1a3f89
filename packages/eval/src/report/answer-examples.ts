import {
  ecgStrip,
  locateFindings,
  markedPicture,
  svgDocument,
  type BoxXyxy,
  type MarkedBox,
  type Sample,
} from '@qoq-med/data-climb'
import { escapeHtml } from '@qoq-med/report'
import { jsonHash } from '../run/json-hash.ts'
import type { SampleRecord } from '../run/sample-log.ts'

/** A record that a report shows, and why. */
export interface ChosenExample {
  readonly record: SampleRecord
  readonly why: 'best' | 'worst' | 'random'
}

/** Examples of each kind. */
const examplesOfKind = 4

/** The longer side of a drawn picture. */
const pictureSize = 420

/** Colours of the boxes: what is true, and what was answered. */
const colours = { truth: '#00d5ff', answer: '#ffd400' } as const

/**
 * Chooses four of the best answers, four of the worst and four by chance (the same for the same records); answers with
 * boxes come first among equals. None is chosen twice.
 */
export function chooseExamples(records: readonly SampleRecord[]): ChosenExample[] {
  const ranked = records.toSorted((a, b) => quality(b) - quality(a))
  const best = ranked.slice(0, examplesOfKind)
  const worst = ranked.slice(examplesOfKind).slice(-examplesOfKind).toReversed()
  const taken = new Set([...best, ...worst])
  const random = records
    .filter(record => !taken.has(record))
    .map(record => ({ record, draw: jsonHash(['example', record.key]) }))
    .toSorted((a, b) => (a.draw < b.draw ? -1 : 1))
    .slice(0, examplesOfKind)
    .map(({ record }) => record)
  return [
    ...best.map(record => ({ record, why: 'best' as const })),
    ...worst.map(record => ({ record, why: 'worst' as const })),
    ...random.map(record => ({ record, why: 'random' as const })),
  ]
}

/** Overlap of true and predicted labels, then of boxes. */
function quality({ truth, predicted, iou = 0 }: SampleRecord): number {
  const shared = predicted.filter(label => truth.includes(label)).length
  const union = new Set([...truth, ...predicted]).size
  return (union === 0 ? 1 : shared / union) + iou / 10
}

/** Draws one example as HTML: picture with true (blue) and answered (yellow) boxes or ECG strip, question, truth, answer. */
export async function exampleHtml({ record, why }: ChosenExample, sample: Sample | undefined): Promise<string> {
  const { sampleId, question, truth, predicted, response, iou } = record
  const drawing = sample && (await drawSample(sample, record))
  const facts = [
    `truth: ${truth.join(', ') || 'none'}`,
    `answered: ${predicted.join(', ') || 'nothing'}`,
    ...(iou === undefined ? [] : [`IoU ${iou.toFixed(3)}`]),
  ]
  return `<article class="example"><h3>${escapeHtml(`${why}: ${sampleId}`)}</h3>${drawing ? `<figure role="img" aria-label="${escapeHtml(`${sampleId}, ${facts.join('; ')}`)}">${drawing}</figure>` : ''}
<p>${escapeHtml(facts.join('; '))}</p>
<details><summary>question and answer</summary><pre>${escapeHtml(question)}</pre><pre>${escapeHtml(response)}</pre></details></article>`
}

/** A picture that cannot be read any more is left out: the report says what was answered all the same. */
async function drawSample(sample: Sample, record: SampleRecord): Promise<string | undefined> {
  try {
    const [picture] = (await sample.images?.()) ?? []
    if (picture) {
      const { boxes = [] } = await locateFindings(sample)
      const marked = [...boxes.filter(isInFirst).map(box => ({ box, colour: colours.truth })), ...answered(record)]
      return svgDocument(await markedPicture(picture, { boxes: marked, fitPixels: pictureSize }))
    }
    const recording = await sample.ecg?.()
    return recording && svgDocument(ecgStrip(recording))
  } catch {
    return undefined
  }
}

function isInFirst({ image = 0 }: BoxXyxy): boolean {
  return image === 0
}

function answered({ boxes }: SampleRecord): MarkedBox[] {
  return boxes
    .filter(([, , , , image = 0]) => image === 0)
    .map(([x1 = 0, y1 = 0, x2 = 0, y2 = 0]) => ({ box: { x1, y1, x2, y2 }, colour: colours.answer }))
}
