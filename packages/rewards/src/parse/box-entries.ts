import { boxFromXywh, orderedBox, type BoxXyxy } from '../geometry/box.ts'
import type { Literal } from './literal.ts'
import type { ProblemLog, ProblemType } from './problem.ts'

/** A box a response drew: pixel corners in the image as the model saw it. */
export interface ResponseBox extends BoxXyxy {
  /** The label the entry carries, as written; undefined where it has none. */
  readonly label?: string
  /** 0-based index of the image it lies in; undefined means the first. */
  readonly image?: number
}

/** How a response writes its four numbers: two corners (the public code) or corner and size (the paper). */
export type BoxFormat = 'xyxy' | 'xywh'

/** Where boxes of one response are collected. */
export interface BoxSink {
  readonly format: BoxFormat
  readonly boxes: ResponseBox[]
  readonly problems: ProblemLog
}

const boxKeys = ['bbox_2d', 'bbox', 'box_2d', 'box'] as const

type Fields = { readonly [key: string]: Literal }

/**
 * Collects the boxes of one JSON value: a list of entries, one entry, an object whose values are boxes or lists of
 * entries, or bare lists of four numbers. What is not a box becomes a problem.
 */
export function collectBoxes(value: Literal, block: number, sink: BoxSink): void {
  if (isList(value)) return collectList(value, undefined, block, sink)
  if (!isFields(value)) return sink.problems.report({ type: 'entry-unreadable', block, entry: 0 })
  if (boxKeyOf(value) !== undefined) return collectEntry(value, undefined, { block, entry: 0 }, sink)
  for (const [key, item] of Object.entries(value)) if (isList(item)) collectList(item, key, block, sink)
}

/** Tells whether a JSON value holds at least one entry with a box key; plain lists of numbers in prose do not count. */
export function hasBoxEntry(value: Literal): boolean {
  if (isList(value)) return value.some(item => isFields(item) && boxKeyOf(item) !== undefined)
  if (!isFields(value)) return false
  return boxKeyOf(value) !== undefined || Object.values(value).some(item => isList(item) && hasBoxEntry(item))
}

function collectList(list: readonly Literal[], label: string | undefined, block: number, sink: BoxSink): void {
  if (isFourCoordinates(list)) return addBox(list, { label }, { block, entry: 0 }, sink)
  for (const [entry, item] of list.entries()) collectEntry(item, label, { block, entry }, sink)
}

function collectEntry(item: Literal, label: string | undefined, place: Place, sink: BoxSink): void {
  const giveUp = (type: ProblemType): void => sink.problems.report({ type, ...place })
  if (isList(item)) return addBox(item, { label }, place, sink)
  if (!isFields(item)) return giveUp('entry-unreadable')
  const key = boxKeyOf(item)
  if (key === undefined) return giveUp('box-missing')
  const corners = item[key]
  if (!isList(corners)) return giveUp('box-malformed')
  const image = item['image'] === undefined ? undefined : coordinate(item['image'])
  if (image !== undefined && !(Number.isInteger(image) && image >= 0)) return giveUp('image-invalid')
  const written = item['label']
  addBox(corners, { label: typeof written === 'string' ? written.trim() : undefined, image }, place, sink)
}

interface Place {
  readonly block: number
  readonly entry: number
}

function addBox(
  corners: readonly Literal[],
  { label, image }: { label?: string | undefined; image?: number | undefined },
  place: Place,
  sink: BoxSink,
): void {
  const [a, b, c, d] = corners.map(coordinate)
  if (corners.length !== 4 || a === undefined || b === undefined || c === undefined || d === undefined) {
    return sink.problems.report({ type: 'box-malformed', ...place })
  }
  const box = sink.format === 'xyxy' ? orderedBox(a, b, c, d) : boxFromXywh({ x: a, y: b, width: c, height: d })
  if (![a, b, c, d, box.x1, box.y1, box.x2, box.y2].every(Number.isFinite)) {
    return sink.problems.report({ type: 'box-not-finite', ...place })
  }
  if (sink.format === 'xyxy' ? a > c || b > d : c < 0 || d < 0) {
    sink.problems.report({ type: 'box-reversed', ...place })
  }
  sink.boxes.push({ ...box, ...(label ? { label } : {}), ...(image === undefined ? {} : { image }) })
}

/** A number, or a string that is one; NaN for a number that is not finite, undefined for anything else. */
function coordinate(value: Literal): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value.trim() === '') return undefined
  const parsed = Number(value)
  return Number.isNaN(parsed) ? undefined : parsed
}

function isFourCoordinates(list: readonly Literal[]): boolean {
  return list.length === 4 && list.every(item => coordinate(item) !== undefined)
}

function boxKeyOf(fields: Fields): (typeof boxKeys)[number] | undefined {
  return boxKeys.find(key => Object.hasOwn(fields, key))
}

function isList(value: Literal | undefined): value is readonly Literal[] {
  return Array.isArray(value)
}

function isFields(value: Literal): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
