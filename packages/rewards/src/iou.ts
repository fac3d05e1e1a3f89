import { boxArea, boxIou, clipBox, scaleBox, type BoxXyxy, type ImageSize } from './geometry/box.ts'
import type { Mask, MaskRegion } from './geometry/mask.ts'
import { encodeMask } from './geometry/mask-region.ts'
import type { ParsedResponse } from './parse/parsed-response.ts'
import type { Reward, RewardResult } from './reward.ts'
import type { Truth, TruthBox } from './truth.ts'

/** Choices of the IoU reward that the paper and the public code make differently. */
export interface IouOptions {
  /** Over several boxes: the best one (section 3.4) or their mean (the public code). */
  readonly over?: 'max' | 'mean' | undefined
}

/**
 * Intersection over union of a box and a mask (section 3.4): `|b ∩ S| / |b ∪ S|`, counted in pixels whose centre lies
 * in the box; the box is clipped to the mask.
 *
 * @param box in pixels of the mask
 * @returns a number in [0, 1]; 0 for a box without a pixel and for an empty mask
 */
export function maskIou(box: BoxXyxy, region: MaskRegion): number {
  const column = (x: number): number => Math.min(Math.max(Math.ceil(x - 0.5), 0), region.width)
  const row = (y: number): number => Math.min(Math.max(Math.ceil(y - 0.5), 0), region.height)
  const [left, right, top, bottom] = [column(box.x1), column(box.x2), row(box.y1), row(box.y2)]
  const pixels = (right - left) * (bottom - top)
  if (!(right > left && bottom > top)) return 0
  const intersection = region.pixelsWithin(left, top, right, bottom)
  return intersection / (pixels + region.area - intersection)
}

/**
 * Semantic alignment reward of section 3.4: `max_j |b_j ∩ S| / |b_j ∪ S|` over the response's boxes against the mask,
 * or against the true boxes where there is no mask (the best true box for each). No box scores 0. A sample without any
 * spatial truth has no such reward.
 */
export const iou: Reward = createIou()

/** Makes an IoU reward with other choices than the paper's. */
export function createIou({ over = 'max' }: IouOptions = {}): Reward {
  return (response, truth) => scoreBoxes(response, spatialTruth(truth), over)
}

/** The spatial truth of one image. */
interface ImageTruth {
  readonly region: MaskRegion | undefined
  readonly boxes: readonly BoxXyxy[]
  readonly size: ImageSize | undefined
}

function scoreBoxes(response: ParsedResponse, images: readonly ImageTruth[], over: 'max' | 'mean'): RewardResult {
  if (!images.some(image => image.region !== undefined || image.boxes.length > 0)) {
    return { notApplicable: 'no spatial truth' }
  }
  const ious = response.boxes.map(box => boxScore(box, images[box.image ?? 0]))
  const best = ious.reduce((max, value) => Math.max(max, value), 0)
  const sum = ious.reduce((total, value) => total + value, 0)
  return { score: over === 'max' ? best : sum / Math.max(1, ious.length), detail: { boxes: ious.length, ious } }
}

function boxScore(box: BoxXyxy, image: ImageTruth | undefined): number {
  if (image === undefined) return 0
  const { region, size } = image
  if (region !== undefined) return maskIou(size === undefined ? box : scaleBox(box, size, region), region)
  const inside = size === undefined ? box : clipBox(box, size)
  return image.boxes.reduce((best, truth) => Math.max(best, boxIou(inside, truth)), 0)
}

function spatialTruth(truth: Truth): readonly ImageTruth[] {
  const masks = listOf<Mask | undefined>(truth.mask)
  const sizes = listOf<ImageSize>(truth.image)
  const boxes = (truth.boxes ?? []).filter(box => boxArea(box) > 0)
  const last = boxes.reduce((max, box) => Math.max(max, box.image ?? 0), 0)
  const count = Math.max(masks.length, Math.min(last, maxImages - 1) + 1)
  return Array.from({ length: count }, (_, image) => imageTruth(masks[image], sizes[image], boxesOf(boxes, image)))
}

/** Images beyond this many of one sample are not looked at, so that a wrong index allocates nothing. */
const maxImages = 4096

function imageTruth(mask: Mask | undefined, size: ImageSize | undefined, boxes: readonly BoxXyxy[]): ImageTruth {
  const region = mask === undefined ? undefined : encodeMask(mask)
  return { region: region !== undefined && region.area > 0 ? region : undefined, boxes: clipBoxes(boxes, size), size }
}

function clipBoxes(boxes: readonly BoxXyxy[], size: ImageSize | undefined): readonly BoxXyxy[] {
  return size === undefined ? boxes : boxes.map(box => clipBox(box, size)).filter(box => boxArea(box) > 0)
}

function boxesOf(boxes: readonly TruthBox[], image: number): readonly BoxXyxy[] {
  return boxes.filter(box => (box.image ?? 0) === image)
}

function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : isList(value) ? value : [value]
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value)
}
