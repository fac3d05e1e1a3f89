import { boxIou, type BoxXyxy } from './box.ts'
import type { ResponseBox } from './box-entries.ts'
import { rewardsErrors } from './errors.ts'
import type { LabelVocabulary } from './label-vocabulary.ts'
import type { Reward } from './reward.ts'
import { truthVocabulary } from './truth.ts'

/**
 * Maps a box of one view into another: `[a, b, c, d, e, f]` for x' = a x + b y + c, y' = d x + e y + f, or a function.
 */
export type ViewTransform = readonly number[] | ((box: BoxXyxy) => BoxXyxy)

/** One view v of a study and how the boxes of another view v' map into it (the 𝒯 of eq. 7). */
export interface ViewLink {
  /** 0-based image index of the view v. */
  readonly image: number
  /** 0-based image index of the other view v'. */
  readonly from: number
  /** Maps boxes of v' into the pixels of v. */
  readonly transform: ViewTransform
}

/**
 * Maps a box; an affine transform maps its corners and takes the box around them.
 *
 * @throws REWARDS_TRANSFORM_INVALID when an affine transform is not six finite numbers
 */
export function transformBox(box: BoxXyxy, transform: ViewTransform): BoxXyxy {
  if (typeof transform === 'function') return transform(box)
  const [a, b, c, d, e, f] = transform
  const finite = transform.filter(value => Number.isFinite(value)).length
  if (transform.length !== 6 || finite !== 6) throw rewardsErrors.TRANSFORM_INVALID({ found: finite })
  const corners = [box.x1, box.x2].flatMap(x => [box.y1, box.y2].map(y => [a! * x + b! * y + c!, d! * x + e! * y + f!]))
  const [xs, ys] = [corners.map(corner => corner[0]!), corners.map(corner => corner[1]!)]
  return { x1: Math.min(...xs), y1: Math.min(...ys), x2: Math.max(...xs), y2: Math.max(...ys) }
}

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
