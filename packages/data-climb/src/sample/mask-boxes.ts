import type { BoxXyxy, PixelMask } from './sample.ts'

/** Boxes drawn around one mask; a haemorrhage may lie in several places. */
const maxBoxes = 8
/** Regions below this share of the largest one are specks, as JPEG and drawing leave them. */
const speckShare = 0.02

/** Boxes around the connected regions of a mask (8 neighbours), the largest first, specks left out. */
export function boxesOfMask({ width, height, data }: PixelMask): BoxXyxy[] {
  const left = data.slice()
  const regions: { readonly area: number; readonly box: BoxXyxy }[] = []
  for (let start = 0; start < left.length; start++)
    if (left[start] === 1) regions.push(takeRegion(left, start, { width, height }))
  const bySize = regions.toSorted((a, b) => b.area - a.area)
  const least = (bySize[0]?.area ?? 0) * speckShare
  return bySize
    .filter(({ area }) => area >= least)
    .slice(0, maxBoxes)
    .map(({ box }) => box)
}

/** Clears the region of a pixel and measures it. */
function takeRegion(
  left: Uint8Array,
  start: number,
  { width, height }: { readonly width: number; readonly height: number },
): { area: number; box: BoxXyxy } {
  let [x1, y1, x2, y2, area] = [width, height, 0, 0, 0]
  const waiting = [start]
  left[start] = 0
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const [x, y] = [at % width, Math.floor(at / width)]
    area++
    ;[x1, y1, x2, y2] = [Math.min(x1, x), Math.min(y1, y), Math.max(x2, x + 1), Math.max(y2, y + 1)]
    for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++)
      for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
        const next = ny * width + nx
        if (left[next] !== 1) continue
        left[next] = 0
        waiting.push(next)
      }
  }
  return { area, box: { x1, y1, x2, y2 } }
}
