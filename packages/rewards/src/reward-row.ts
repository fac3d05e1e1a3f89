import { orderedBox, type ImageSize } from './geometry/box.ts'
import type { ViewLink } from './geometry/view-link.ts'
import { rewardsErrors } from './errors.ts'
import type { Mask } from './geometry/mask.ts'
import { encodeMask } from './geometry/mask-region.ts'
import type { Truth, TruthBox } from './truth.ts'

/** One line of `qoq rewards`, checked. */
export interface RewardRow {
  readonly id: string | number
  readonly response: string
  readonly truth: Truth
}

/**
 * Checks a row of the contract of `qoq rewards`:
 *
 *     { id, response, answer: string[], labels?: string[], aliases?: { label: string[] }, negativeLabels?: string[],
 *       answerMode?: 'single' | 'multi', image?: { width, height } | { width, height }[], boxes?: number[][],
 *       mask?: M | (M | null)[] with M = { width, height, rle } | { width, height, data }, modality?: string | string[],
 *       views?: { image, from, transform: [a, b, c, d, e, f] }[] }
 *
 * `boxes` are [x1, y1, x2, y2] in the first image, or [x1, y1, x2, y2, image]. A list of images or masks has one per image;
 * `views` says how boxes of one image map into another (eq. 7). A mask that is a PNG path has to be decoded before. Other fields are ignored.
 *
 * @throws REWARDS_ROW_INVALID naming the field, what it must be and what it is
 * @throws REWARDS_MASK_SIZE, REWARDS_MASK_RUNS for a mask whose numbers do not fit
 */
export function readRewardRow(value: unknown): RewardRow {
  if (!isFields(value)) throw invalid('row', 'an object', value)
  const { id, response } = value
  if (typeof id !== 'string' && typeof id !== 'number') throw invalid('id', 'a string or a number', id)
  if (typeof response !== 'string') throw invalid('response', 'a string', response)
  const truth: Truth = {
    answer: strings('answer', value['answer']),
    labels: optional(value['labels'], labels => strings('labels', labels)),
    aliases: optional(value['aliases'], readAliases),
    negativeLabels: optional(value['negativeLabels'], labels => strings('negativeLabels', labels)),
    answerMode: optional(value['answerMode'], readAnswerMode),
    image: optional(value['image'], images => oneOrMany(images, readImage)),
    boxes: optional(value['boxes'], readBoxes),
    mask: optional(value['mask'], readMasks),
    modality: optional(value['modality'], readModality),
    views: optional(value['views'], readViews),
  }
  return { id, response, truth }
}

function readAliases(value: unknown): Readonly<Record<string, readonly string[]>> {
  if (!isFields(value)) throw invalid('aliases', 'an object of lists of strings', value)
  return Object.fromEntries(Object.entries(value).map(([label, names]) => [label, strings(`aliases.${label}`, names)]))
}

function readAnswerMode(value: unknown): 'single' | 'multi' {
  if (value === 'single' || value === 'multi') return value
  throw invalid('answerMode', '"single" or "multi"', value)
}

/** One value, or a list with one per image. */
function oneOrMany<T>(value: unknown, read: (value: unknown) => T): T | readonly T[] {
  return Array.isArray(value) ? value.map(read) : read(value)
}

function readViews(value: unknown): readonly ViewLink[] {
  if (!Array.isArray(value)) throw invalid('views', 'a list of { image, from, transform }', value)
  return value.map((view: unknown, index) => {
    const at = `views[${index}]`
    if (!isFields(view)) throw invalid(at, 'an object { image, from, transform }', view)
    const { image, from, transform } = view
    if (!isPlace(image)) throw invalid(`${at}.image`, 'the index of an image', image)
    if (!isPlace(from)) throw invalid(`${at}.from`, 'the index of an image', from)
    if (!Array.isArray(transform) || transform.length !== 6 || !transform.every(isFinite))
      throw invalid(`${at}.transform`, 'six finite numbers [a, b, c, d, e, f]', transform)
    return { image, from, transform }
  })
}

function isPlace(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function readImage(value: unknown): ImageSize {
  if (!isFields(value)) throw invalid('image', 'an object { width, height }', value)
  return { width: side('image.width', value['width']), height: side('image.height', value['height']) }
}

function readBoxes(value: unknown): readonly TruthBox[] {
  if (!Array.isArray(value)) throw invalid('boxes', 'a list of boxes [x1, y1, x2, y2]', value)
  return value.map((box: unknown, index) => {
    const [x1, y1, x2, y2, image = 0]: readonly unknown[] =
      Array.isArray(box) && (box.length === 4 || box.length === 5) ? box : []
    if (isFinite(x1) && isFinite(y1) && isFinite(x2) && isFinite(y2) && isPlace(image))
      return { ...orderedBox(x1, y1, x2, y2), ...(image > 0 && { image }) }
    throw invalid(`boxes[${index}]`, 'four finite numbers [x1, y1, x2, y2], and perhaps the index of an image', box)
  })
}

function readMasks(value: unknown): Mask | readonly (Mask | undefined)[] {
  return Array.isArray(value) ? value.map((mask: unknown) => optional(mask, readMask)) : readMask(value)
}

function readMask(value: unknown): Mask {
  if (!isFields(value)) throw invalid('mask', 'an object { width, height, rle }, decoded if it was a path', value)
  const { width, height, rle, data } = value
  if (!isFinite(width)) throw invalid('mask.width', 'a number of pixels', width)
  if (!isFinite(height)) throw invalid('mask.height', 'a number of pixels', height)
  if (data instanceof Uint8Array) return encodeMask({ width, height, data })
  if (Array.isArray(rle)) return encodeMask({ width, height, rle })
  throw invalid('mask.rle', 'a list of run lengths', rle)
}

function readModality(value: unknown): string | readonly string[] {
  return typeof value === 'string' ? value : strings('modality', value)
}

function side(field: string, value: unknown): number {
  if (isFinite(value) && value > 0) return value
  throw invalid(field, 'a positive number of pixels', value)
}

function strings(field: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every(item => typeof item === 'string')) {
    throw invalid(field, 'a list of strings', value)
  }
  return value
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value)
}

function isFinite(value: unknown): value is number {
  return Number.isFinite(value)
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Names the kind of a value, never the value: a row may hold patient data. */
function invalid(field: string, expected: string, value: unknown): Error {
  const found =
    value === undefined ? 'missing' : value === null ? 'null' : `a ${Array.isArray(value) ? 'list' : typeof value}`
  return rewardsErrors.ROW_INVALID({ field, expected, found })
}
