import type { Finding } from '../sample/reference.ts'
import type { BoxXyxy } from '../sample/sample.ts'

/** A box that one reader drew in a picture. */
export interface ReaderBox {
  readonly reader: string
  readonly label: string
  readonly box: BoxXyxy
}

/** Overlap (IoU) from which boxes of two readers mean one finding: that of the VinDr-CXR challenge's metric. */
const sameFinding = 0.4

/**
 * Joins the boxes of several readers of one picture: boxes of one label that overlap by 0.4 or more mean one finding, of
 * which a reader has at most one box. A finding is kept when more than half of the readers drew it; its box encloses
 * theirs.
 *
 * @param readers how many read the picture, also those who drew nothing
 */
export function majorityFindings(boxes: readonly ReaderBox[], readers: number): Finding[] {
  const groups: ReaderBox[][] = []
  for (const box of boxes) {
    const best = groups
      .map(group => ({ group, overlap: overlapWith(group, box) }))
      .filter(({ overlap }) => overlap >= sameFinding)
      .toSorted((a, b) => b.overlap - a.overlap)[0]
    if (best) best.group.push(box)
    else groups.push([box])
  }
  return groups.filter(group => group.length * 2 > readers).map(enclosing)
}

/** Findings of one reader, the first who drew any. */
export function oneReaderFindings(boxes: readonly ReaderBox[]): Finding[] {
  const reader = boxes[0]?.reader
  return boxes.filter(box => box.reader === reader).map(({ label, box }) => ({ label, box }))
}

/** Largest overlap with a box of the group; none where the label differs or the reader has a box in it already. */
function overlapWith(group: readonly ReaderBox[], { reader, label, box }: ReaderBox): number {
  if (group.some(other => other.label !== label || other.reader === reader)) return 0
  return Math.max(...group.map(other => iou(other.box, box)))
}

function iou(a: BoxXyxy, b: BoxXyxy): number {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1)
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1)
  const shared = Math.max(0, width) * Math.max(0, height)
  return shared / (area(a) + area(b) - shared)
}

function area({ x1, y1, x2, y2 }: BoxXyxy): number {
  return (x2 - x1) * (y2 - y1)
}

function enclosing(group: readonly ReaderBox[]): Finding {
  const of = (side: 'x1' | 'y1' | 'x2' | 'y2') => group.map(({ box }) => box[side])
  const box = {
    x1: Math.min(...of('x1')),
    y1: Math.min(...of('y1')),
    x2: Math.max(...of('x2')),
    y2: Math.max(...of('y2')),
  }
  return { label: group[0]?.label ?? '', box }
}
