import type { PixelMask } from '../sample/sample.ts'

/**
 * Traces the border of a mask along the edges of its pixels.
 *
 * @returns SVG path data in pixels of the mask; empty where nothing is inside
 */
export function maskOutline(mask: PixelMask): string {
  return lines(mask, 'H') + lines(mask, 'V')
}

/** The borders in one direction; neighbouring pixel edges become one line. */
function lines({ width, height, data }: PixelMask, direction: 'H' | 'V'): string {
  const [across, along] = direction === 'H' ? [height, width] : [width, height]
  const at = (line: number, step: number): number =>
    line < 0 || line >= across ? 0 : (data[direction === 'H' ? line * width + step : step * width + line] ?? 0)
  let path = ''
  for (let line = 0; line <= across; line++) {
    let start = -1
    for (let step = 0; step <= along; step++) {
      const isBorder = step < along && at(line - 1, step) !== at(line, step)
      if (isBorder && start < 0) start = step
      if (isBorder || start < 0) continue
      path += direction === 'H' ? `M${start} ${line}H${step}` : `M${line} ${start}V${step}`
      start = -1
    }
  }
  return path
}
