import type { BoxXyxy, PixelMask } from '../sample/sample.ts'

/** The smallest box around the pixels of a mask, or undefined when it is empty. */
export function boxOfMask({ width, height, data }: PixelMask): BoxXyxy | undefined {
  let box: BoxXyxy | undefined
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++)
      if (data[i] === 1)
        box = {
          x1: Math.min(box?.x1 ?? x, x),
          y1: Math.min(box?.y1 ?? y, y),
          x2: Math.max(box?.x2 ?? 0, x + 1),
          y2: Math.max(box?.y2 ?? 0, y + 1),
        }
  return box
}

/** The pixels of any of the masks, which have one size. */
export function unionOfMasks(masks: readonly [PixelMask, ...PixelMask[]]): PixelMask {
  const [{ width, height }] = masks
  const data = Uint8Array.from({ length: width * height }, (_, i) => (masks.some(mask => mask.data[i] === 1) ? 1 : 0))
  return { width, height, data }
}

/** Says where a mask lies in its picture, as the viewer sees it: `upper left`, `lower right`, `centre` … */
export function placeOfMask(mask: PixelMask): string {
  const box = boxOfMask(mask)
  if (!box) return 'nowhere'
  const row = third((box.y1 + box.y2) / 2 / mask.height, ['upper', '', 'lower'])
  const column = third((box.x1 + box.x2) / 2 / mask.width, ['left', '', 'right'])
  return [row, column].filter(word => word !== '').join(' ') || 'centre'
}

/** The middle third is wide, so that what lies clearly to a side is called so. */
function third(share: number, [low, middle, high]: readonly [string, string, string]): string {
  return share < 0.42 ? low : share > 0.58 ? high : middle
}
