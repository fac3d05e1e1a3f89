import type { Literal } from '../parse/literal.ts'
import type { Mask, MaskRegion } from '../geometry/mask.ts'
import { encodeMask } from '../geometry/mask-region.ts'
import type { ParsedResponse } from '../parse/parsed-response.ts'
import { releaseBlock, type ReleaseValue } from './release-json.ts'
import type { Score } from '../reward.ts'
import type { Truth, TruthBox } from '../truth.ts'

/**
 * The public code's IoU reward: the mean over the boxes of the first block that parses, in inclusive whole pixels
 * against the mask, or as continuous areas against one true box. Malformed boxes count as 0 in the mean. With a true
 * box and more than one prediction the public code loses the score to an exception, so this gives 0; without any
 * spatial truth it gives 0 as well and keeps its weight.
 */
export function releaseIou(response: ParsedResponse, truth: Truth): Score {
  const block = releaseBlock(response.text)
  const boxes = block === undefined ? [] : releaseBoxes(block.value)
  if (boxes.length === 0 || !isReleaseList(boxes[0], block)) return { score: 0 }
  const region = firstRegion(truth)
  const box = truth.boxes?.[0]
  if (region !== undefined) return { score: againstMask(boxes, region) }
  return { score: box === undefined ? 0 : againstBox(boxes, box) }
}

function releaseBoxes(value: Literal): readonly Literal[] {
  if (isList(value)) return value.flatMap(entryBox)
  if (!isFields(value)) return []
  if ('bbox_2d' in value) return [value['bbox_2d'] ?? null]
  const objects = value['objects_of_interest']
  return isList(objects) ? objects.flatMap(entryBox) : []
}

function entryBox(entry: Literal): readonly Literal[] {
  return isFields(entry) && 'bbox_2d' in entry ? [entry['bbox_2d'] ?? null] : []
}

function againstMask(boxes: readonly Literal[], region: MaskRegion): number {
  if (boxes.some(box => box === null || typeof box === 'number' || typeof box === 'boolean')) return 0
  const ious = boxes.map(box => (isList(box) ? inclusiveIou(box.slice(0, 4).map(wholeNumber), region) : 0))
  return ious.reduce((sum, value) => sum + value, 0) / boxes.length
}

function inclusiveIou(corners: readonly (number | undefined)[], region: MaskRegion): number {
  const [xa, ya, xb, yb] = corners
  if (xa === undefined || ya === undefined || xb === undefined || yb === undefined) return 0
  const [left, right] = pixelRange(xa, xb, region.width)
  const [top, bottom] = pixelRange(ya, yb, region.height)
  if (left >= right || top >= bottom) return 0
  const intersection = region.pixelsWithin(left, top, right + 1, bottom + 1)
  return intersection / ((right + 1 - left) * (bottom + 1 - top) + region.area - intersection)
}

function pixelRange(a: number, b: number, size: number): readonly [number, number] {
  const [first, second] = [Math.max(0, Math.min(a, size - 1)), Math.max(0, Math.min(b, size - 1))]
  return [Math.min(first, second), Math.max(first, second)]
}

function againstBox(boxes: readonly Literal[], truth: TruthBox): number {
  if (boxes.some(box => !isList(box))) return 0
  const long = boxes.filter(box => isList(box) && box.length >= 4)
  const [only] = long
  if (long.length !== 1 || !isList(only)) return 0
  const [x1 = NaN, y1 = NaN, x2 = NaN, y2 = NaN] = only.map(number)
  const width = Math.min(x2, truth.x2) - Math.max(x1, truth.x1)
  const height = Math.min(y2, truth.y2) - Math.max(y1, truth.y1)
  if (!(width > 0 && height > 0)) return 0
  const union = (x2 - x1) * (y2 - y1) + (truth.x2 - truth.x1) * (truth.y2 - truth.y1) - width * height
  return union > 0 ? (width * height) / union / boxes.length : 0
}

function firstRegion({ mask }: Truth): MaskRegion | undefined {
  const first = isMaskList(mask) ? mask[0] : mask
  const region = first === undefined ? undefined : encodeMask(first)
  return region !== undefined && region.area > 0 ? region : undefined
}

/** Python's int(): truncates a number, reads a whole number from a string; undefined where it raises. */
function wholeNumber(value: Literal): number | undefined {
  if (typeof value === 'string') return /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : undefined
  const plain = number(value)
  return Number.isFinite(plain) ? Math.trunc(plain) : undefined
}

/** A number or a boolean as Python counts with it; NaN for anything else. */
function number(value: Literal): number {
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : NaN
}

function isReleaseList(value: Literal | undefined, block: ReleaseValue | undefined): boolean {
  return isList(value) && block?.tuples.has(value) !== true
}

function isList(value: Literal | undefined): value is readonly Literal[] {
  return Array.isArray(value)
}

function isFields(value: Literal): value is { readonly [key: string]: Literal } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isMaskList(mask: Truth['mask']): mask is readonly (Mask | undefined)[] {
  return Array.isArray(mask)
}
