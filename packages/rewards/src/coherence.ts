import { boxIou, type BoxXyxy } from './geometry/box.ts'
import { transformBox, type ViewLink } from './geometry/view-link.ts'
import type { ResponseBox } from './parse/box-entries.ts'
import type { LabelVocabulary } from './parse/label-vocabulary.ts'
import type { Reward } from './reward.ts'
import { truthVocabulary } from './truth.ts'

/**
 * Mean IoU over views of a box and its mapped counterpart (eq. 7): `1/|V| sum_v IoU(b_v, T(b_v'))`.
 *
 * @param boxes one box per view; undefined where a view has none, which counts as 0
 * @param mapped the counterpart of each view, already in the view's coordinates
 * @returns a number in [0, 1]; 0 without a view
 */
export function meanViewIou(boxes: readonly (BoxXyxy | undefined)[], mapped: readonly (BoxXyxy | undefined)[]): number {
  const ious = boxes.map((box, view) => {
    const counterpart = mapped[view]
    return box === undefined || counterpart === undefined ? 0 : boxIou(box, counterpart)
  })
  return ious.reduce((sum, value) => sum + value, 0) / Math.max(1, ious.length)
}

/**
 * Visual coherence of eq. 7, for samples whose truth has `views`: boxes of two views are paired by label (the first of
 * each; boxes without a label pair among themselves), a view's score is the mean over its labels, a box without a
 * counterpart counts 0.
 */
export const coherence: Reward = (response, truth) => {
  if (truth.views === undefined || truth.views.length === 0) return { notApplicable: 'no views' }
  const vocabulary = truthVocabulary(truth)
  const views = truth.views.map(link => viewScore(link, response.boxes, vocabulary))
  return { score: views.reduce((sum, value) => sum + value, 0) / views.length, detail: { views } }
}

function viewScore(link: ViewLink, boxes: readonly ResponseBox[], vocabulary: LabelVocabulary): number {
  const here = byLabel(boxes, link.image, vocabulary)
  const there = byLabel(boxes, link.from, vocabulary)
  const labels = [...new Set([...here.keys(), ...there.keys()])]
  const mapped = labels.map(label => there.get(label)).map(box => box && transformBox(box, link.transform))
  return meanViewIou(
    labels.map(label => here.get(label)),
    mapped,
  )
}

function byLabel(boxes: readonly ResponseBox[], image: number, vocabulary: LabelVocabulary): Map<string, BoxXyxy> {
  const found = new Map<string, BoxXyxy>()
  for (const box of boxes) {
    const key = box.label === undefined ? '' : vocabulary.keyOf(box.label)
    if ((box.image ?? 0) === image && !found.has(key)) found.set(key, box)
  }
  return found
}
