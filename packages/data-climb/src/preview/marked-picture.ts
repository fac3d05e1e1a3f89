import sharp from 'sharp'
import type { BoxXyxy, PixelMask, RgbImage } from '../sample/sample.ts'
import { maskOutline } from './mask-outline.ts'
import { strokeText, textWidth } from './stroke-font.ts'
import { svgNumber, type SvgDrawing } from './svg-drawing.ts'

/** A box to draw, in pixels of the picture. */
export interface MarkedBox {
  readonly box: BoxXyxy
  readonly label?: string
  /** Any SVG colour; yellow by default. */
  readonly colour?: string
}

/** What is drawn on a picture, and how large it becomes. */
export interface PictureMarks {
  readonly boxes?: readonly MarkedBox[]
  /** Its outline is drawn; it has the size of the picture. */
  readonly mask?: PixelMask
  /** Side of the square into which the picture is fitted, in pixels; its own size by default. */
  readonly fitPixels?: number
}

/** Colours that stay visible on grey, on skin and on stained tissue. */
export const markColours = { box: '#ffd400', mask: '#00d5ff' } as const

/** Draws a picture with the boxes and the mask outline of its findings. */
export async function markedPicture(image: RgbImage, marks: PictureMarks = {}): Promise<SvgDrawing> {
  const { boxes = [], mask, fitPixels } = marks
  const scale = fitPixels === undefined ? 1 : fitPixels / Math.max(image.width, image.height)
  const width = Math.max(1, Math.round(image.width * scale))
  const height = Math.max(1, Math.round(image.height * scale))
  const href = `data:image/png;base64,${Buffer.from(await scaledPng(image, width, height)).toString('base64')}`
  const picture = `<image width="${width}" height="${height}" href="${href}"/>`
  const outline = mask === undefined ? '' : outlineOf(mask, { width, height })
  const ratio = { x: width / image.width, y: height / image.height }
  return { width, height, body: picture + outline + boxes.map(marked => boxOf(marked, ratio)).join('') }
}

/** Grown pictures keep hard pixels: what the model sees is what is shown. */
async function scaledPng({ width: from, height, data }: RgbImage, width: number, tall: number): Promise<Uint8Array> {
  const kernel = width > from ? 'nearest' : 'lanczos3'
  return sharp(data, { raw: { width: from, height, channels: 3 } })
    .resize(width, tall, { fit: 'fill', kernel })
    .png()
    .toBuffer()
}

function outlineOf(mask: PixelMask, { width, height }: { readonly width: number; readonly height: number }): string {
  const scale = `scale(${svgNumber(width / mask.width)} ${svgNumber(height / mask.height)})`
  const pen = `fill="none" stroke="${markColours.mask}" stroke-width="1.5" vector-effect="non-scaling-stroke"`
  return `<path transform="${scale}" d="${maskOutline(mask)}" ${pen}/>`
}

function boxOf(
  { box, label, colour = markColours.box }: MarkedBox,
  ratio: { readonly x: number; readonly y: number },
): string {
  const [x, y] = [box.x1 * ratio.x, box.y1 * ratio.y]
  const [width, height] = [(box.x2 - box.x1) * ratio.x, (box.y2 - box.y1) * ratio.y]
  const place = `x="${svgNumber(x)}" y="${svgNumber(y)}" width="${svgNumber(width)}" height="${svgNumber(height)}"`
  const frame = `<rect ${place} fill="none" stroke="${colour}" stroke-width="2"/>`
  return label === undefined ? frame : frame + boxLabel(label, { x, y }, colour)
}

/** A label stands above its box, or inside it at the upper border of the picture. */
function boxLabel(label: string, { x, y }: { readonly x: number; readonly y: number }, colour: string): string {
  const size = 7
  const top = y >= 12 ? y - 12 : y
  const ground = `<rect x="${svgNumber(x)}" y="${svgNumber(top)}" width="${svgNumber(textWidth(label, size) + 6)}" height="12" fill="${colour}"/>`
  return ground + strokeText(label, { x: x + 3, y: top + 9 }, { size, colour: '#000' })
}
