import type { PixelMask, RgbImage } from '../sample/sample.ts'
import type { RandomStream } from './random-stream.ts'

/** Side of a simulated picture in pixels: four times the 28 pixels of a vision token, so that a model sees it unscaled. */
export const pictureSize = 112

/** Pixel columns and rows outside which a shape covers nothing. */
export interface Bounds {
  readonly x1: number
  readonly y1: number
  readonly x2: number
  readonly y2: number
}

/** How much of a pixel a shape covers, 0 to 1, and where it covers nothing for sure. */
export type Coverage = ((x: number, y: number) => number) & { readonly bounds?: Bounds }

/** Levels of red, green and blue, 0 to 255; one number is grey. */
export type Colour = number | readonly [number, number, number]

/** A square picture under construction: three planes of [size * size] levels, not yet cut to 0 to 255. */
export interface Canvas {
  readonly planes: readonly [Float32Array, Float32Array, Float32Array]
}

/** Makes a canvas of one colour. */
export function createCanvas(colour: Colour): Canvas {
  const [r, g, b] = channels(colour)
  return { planes: [evenPlane(r), evenPlane(g), evenPlane(b)] }
}

function evenPlane(level: number): Float32Array {
  return new Float32Array(pictureSize * pictureSize).fill(level)
}

/** Blends a colour over a shape. */
export function paint(canvas: Canvas, shape: Coverage, colour: Colour, opacity = 1): void {
  const levels = channels(colour)
  forEachPixel(shape.bounds, (x, y, i) => {
    const share = shape(x, y) * opacity
    if (share > 0) for (const [c, plane] of canvas.planes.entries()) plane[i]! += (levels[c]! - plane[i]!) * share // three planes
  })
}

/** Adds levels over a shape, keeping the texture under it. */
export function brighten(canvas: Canvas, shape: Coverage, by: Colour): void {
  const levels = channels(by)
  forEachPixel(shape.bounds, (x, y, i) => {
    const share = shape(x, y)
    if (share !== 0) for (const [c, plane] of canvas.planes.entries()) plane[i]! += levels[c]! * share // three planes
  })
}

/** Adds a smooth random texture over a shape. */
export function texture(
  canvas: Canvas,
  shape: Coverage,
  { noise, amplitude }: { readonly noise: Coverage; readonly amplitude: Colour },
): void {
  const grain = (x: number, y: number) => {
    const share = shape(x, y)
    return share > 0 ? share * noise(x, y) : 0
  }
  brighten(canvas, shape.bounds ? Object.assign(grain, { bounds: shape.bounds }) : grain, amplitude)
}

/** Adds noise to every pixel, the same in all planes, and cuts the levels to 8 bits. */
export function develop(
  canvas: Canvas,
  { random, noise, gain }: { readonly random: RandomStream; readonly noise: number; readonly gain: number },
): RgbImage {
  const data = new Uint8Array(pictureSize * pictureSize * 3)
  forEachPixel(undefined, (_x, _y, i) => {
    const grain = noise * random.normal()
    for (const [c, plane] of canvas.planes.entries())
      data[i * 3 + c] = Math.min(255, Math.max(0, Math.round(plane[i]! * gain + grain))) // bounded by the loop
  })
  return { width: pictureSize, height: pictureSize, data }
}

/** The pixels that a shape covers by half or more. */
export function maskOf(shape: Coverage): PixelMask {
  const data = new Uint8Array(pictureSize * pictureSize)
  forEachPixel(shape.bounds, (x, y, i) => {
    if (shape(x, y) >= 0.5) data[i] = 1
  })
  return { width: pictureSize, height: pictureSize, data }
}

function channels(colour: Colour): readonly [number, number, number] {
  return typeof colour === 'number' ? [colour, colour, colour] : colour
}

function forEachPixel(bounds: Bounds | undefined, visit: (x: number, y: number, i: number) => void): void {
  const { x1, y1, x2, y2 } = bounds ?? { x1: 0, y1: 0, x2: pictureSize, y2: pictureSize }
  const right = Math.min(pictureSize, Math.ceil(x2) + 1)
  const bottom = Math.min(pictureSize, Math.ceil(y2) + 1)
  for (let y = Math.max(0, Math.floor(y1)); y < bottom; y++)
    for (let x = Math.max(0, Math.floor(x1)); x < right; x++) visit(x, y, y * pictureSize + x)
}
