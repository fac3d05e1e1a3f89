import { rewardsErrors } from '../errors.ts'
import type { BoxXyxy } from './box.ts'

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
