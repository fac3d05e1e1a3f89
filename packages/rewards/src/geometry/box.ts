/** A box by two corners, in pixels: `x1`, `y1` top left, `x2`, `y2` bottom right (pixel corners, so its width is x2 - x1). */
export interface BoxXyxy {
  readonly x1: number
  readonly y1: number
  readonly x2: number
  readonly y2: number
}

/** A box by corner and size, in pixels: `x`, `y` top left, `width`, `height` (the paper's section 3.1). */
export interface BoxXywh {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Width and height of an image in pixels. */
export interface ImageSize {
  readonly width: number
  readonly height: number
}

/** Converts a box by corner and size to one by two corners; a negative size gives the box on the other side. */
export function boxFromXywh({ x, y, width, height }: BoxXywh): BoxXyxy {
  return orderedBox(x, y, x + width, y + height)
}

/** Makes a box of two opposite corners in any order. */
export function orderedBox(xa: number, ya: number, xb: number, yb: number): BoxXyxy {
  return { x1: Math.min(xa, xb), y1: Math.min(ya, yb), x2: Math.max(xa, xb), y2: Math.max(ya, yb) }
}

/** The area of a box in square pixels; a degenerate box has area 0. */
export function boxArea({ x1, y1, x2, y2 }: BoxXyxy): number {
  return Math.max(0, x2 - x1) * Math.max(0, y2 - y1)
}

/** Clips a box to an image; a box outside it becomes degenerate. */
export function clipBox(box: BoxXyxy, { width, height }: ImageSize): BoxXyxy {
  return {
    x1: within(box.x1, width),
    y1: within(box.y1, height),
    x2: within(box.x2, width),
    y2: within(box.y2, height),
  }
}

function within(value: number, limit: number): number {
  return Math.min(Math.max(value, 0), limit)
}

/** Scales a box from an image of one size to the same image at another size. */
export function scaleBox(box: BoxXyxy, from: ImageSize, to: ImageSize): BoxXyxy {
  const [scaleX, scaleY] = [to.width / from.width, to.height / from.height]
  return { x1: box.x1 * scaleX, y1: box.y1 * scaleY, x2: box.x2 * scaleX, y2: box.y2 * scaleY }
}

/**
 * Intersection over union of two boxes as continuous areas (section 3.4, eq. 7).
 *
 * @returns a number in [0, 1]; 0 when either box is degenerate
 */
export function boxIou(a: BoxXyxy, b: BoxXyxy): number {
  const intersection = boxArea({
    x1: Math.max(a.x1, b.x1),
    y1: Math.max(a.y1, b.y1),
    x2: Math.min(a.x2, b.x2),
    y2: Math.min(a.y2, b.y2),
  })
  if (!(intersection > 0)) return 0
  const union = boxArea(a) + boxArea(b) - intersection
  return union > 0 && Number.isFinite(union) ? Math.min(1, intersection / union) : 0
}
