import type { RgbImage } from '../sample/sample.ts'
import { windowOf, type WindowChoice } from '../volume/intensity-window.ts'
import { framesPerVolume, interiorPositions } from '../volume/slices.ts'
import type { DicomImage } from './dicom-image.ts'
import type { FrameDisplay } from './display-attributes.ts'
import { lookUp } from './lookup-table.ts'
import { physicalValue } from './modality-transform.ts'
import { paletteLevels } from './palette.ts'
import { voiShade, type VoiTransform } from './voi-transform.ts'

/**
 * Turns a DICOM image into 8-bit RGB as a viewer shows it: stored values become the modality's (LUT or rescale, of the frame
 * where it has its own), then shades by the given window, else the file's VOI LUT or window, else the range of the shown
 * frames without padding; then the Presentation LUT, and MONOCHROME1 inverted. Padding is black. Palettes are looked up,
 * colours of more than 8 bits lose the low ones. Of many frames, `count` are taken.
 *
 * @param count pictures to make at most, 4 where it is missing
 * @param window a window, the name of one, `file` (default) or `range`
 * @returns pictures with the image's warnings
 */
export function dicomPictures(
  image: DicomImage,
  {
    window = 'file',
    count = framesPerVolume,
  }: { readonly window?: WindowChoice | undefined; readonly count?: number } = {},
): RgbImage[] {
  const { rows: height, columns: width, frames, samples, warnings } = image
  const shown = interiorPositions(frames, Math.min(frames, count))
  const size = height * width * samples
  const parts = shown.map(i => ({ pixels: image.pixels.subarray(i * size, (i + 1) * size), frame: i }))
  const paint =
    image.samples === 3
      ? colourPainter(image)
      : image.display.palette
        ? palettePainter(image)
        : greyPainter(image, parts, window)
  return parts.map(({ pixels, frame }) => ({
    width,
    height,
    data: paint(pixels, frame),
    ...(warnings.length > 0 && { warnings }),
  }))
}

type Pixels = DicomImage['pixels']
type Painter = (pixels: Pixels, frame: number) => Uint8Array<ArrayBuffer>

/** Low bits of colours of more than 8 bits are dropped; fewer bits are spread over the levels. */
function colourPainter({ bitsStored }: DicomImage): Painter {
  const factor = 255 / (2 ** bitsStored - 1)
  const divisor = 2 ** Math.max(0, bitsStored - 8)
  return pixels => {
    if (bitsStored === 8 && pixels instanceof Uint8Array) return pixels.slice()
    const data = new Uint8Array(pixels.length)
    for (let i = 0; i < data.length; i++) {
      const value = pixels[i]! // bounded by the loop
      data[i] = Math.min(255, bitsStored < 8 ? Math.round(value * factor) : Math.floor(value / divisor))
    }
    return data
  }
}

function palettePainter({ display: { palette } }: DicomImage): Painter {
  const level = palette ? paletteLevels(palette) : () => 0
  return pixels => {
    const data = new Uint8Array(pixels.length * 3)
    for (let i = 0, to = 0; i < pixels.length; i++)
      for (const channel of [0, 1, 2] as const) data[to++] = level(pixels[i]!, channel) // bounded by the loop
    return data
  }
}

interface ShownFrame {
  readonly pixels: Pixels
  readonly frame: number
}

function greyPainter(image: DicomImage, shown: readonly ShownFrame[], choice: WindowChoice): Painter {
  const given = windowOf(choice)
  const fixed: VoiTransform | undefined = given && { type: 'window', window: given, shape: 'LINEAR_EXACT' }
  const needsRange =
    fixed === undefined && (choice === 'range' || shown.some(({ frame }) => !image.display.frames[frame]?.voi))
  const overRange = needsRange ? rangeShade(image, shown) : undefined
  return (pixels, frame) => {
    const display = image.display.frames[frame]
    const voi = fixed ?? (choice === 'range' ? undefined : display?.voi)
    const shade = voi ? voiShade(voi) : (overRange ?? (() => 0))
    return paintGrey(pixels, levelOf(image, { display, shade }))
  }
}

/** The 8-bit level of a stored value. */
function levelOf(
  { display: { padding, presentation, isInverted } }: DicomImage,
  { display, shade }: { readonly display: FrameDisplay | undefined; readonly shade: (value: number) => number },
): (stored: number) => number {
  const isPadding = padding ? (stored: number) => stored >= padding[0] && stored <= padding[1] : () => false
  const present = presentation
    ? (value: number) =>
        lookUp(presentation, Math.floor(value * (presentation.entries.length - 1))) / (2 ** presentation.bits - 1)
    : (value: number) => value
  return stored => {
    if (isPadding(stored)) return 0
    const value = display ? physicalValue(display.modality, stored) : stored
    if (Number.isNaN(value)) return 0
    const level = Math.max(0, Math.min(255, Math.round(present(shade(value)) * 255)))
    return isInverted ? 255 - level : level
  }
}

/** Values of 16 bits are fewer than pixels: each is computed once. */
function paintGrey(pixels: Pixels, level: (stored: number) => number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(pixels.length * 3)
  const table = pixels.BYTES_PER_ELEMENT <= 2 && pixels.length > 4096 ? new Int16Array(65_536).fill(-1) : undefined
  for (let i = 0, to = 0; i < pixels.length; i++) {
    const stored = pixels[i]! // bounded by the loop
    let shade = table?.[stored & 0xffff] ?? -1
    if (shade < 0) {
      shade = level(stored)
      if (table) table[stored & 0xffff] = shade
    }
    data[to++] = shade
    data[to++] = shade
    data[to++] = shade
  }
  return data
}

/** Shades over the range of the shown frames, without padding and what is no number. */
function rangeShade({ display }: DicomImage, shown: readonly ShownFrame[]): (value: number) => number {
  let [low, high] = [Infinity, -Infinity]
  for (const { pixels, frame } of shown) {
    const modality = display.frames[frame]?.modality
    for (const stored of storedEnds(pixels, { padding: display.padding, isMonotone: modality?.type !== 'table' })) {
      const value = modality ? physicalValue(modality, stored) : stored
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
  }
  return value => (high > low ? (value - low) / (high - low) : 0)
}

/** The least and the largest stored value, or all of them where a table need not keep their order. */
function storedEnds(
  pixels: Pixels,
  { padding, isMonotone }: { readonly padding: readonly [number, number] | undefined; readonly isMonotone: boolean },
): Iterable<number> {
  const [from, to] = padding ?? [Infinity, -Infinity]
  const isShown = (pixel: number) => Number.isFinite(pixel) && !(pixel >= from && pixel <= to)
  if (!isMonotone) return new Set(pixels.filter(isShown))
  let [low, high] = [Infinity, -Infinity]
  for (let i = 0; i < pixels.length; i++) {
    const pixel = pixels[i]! // bounded by the loop
    if (!isShown(pixel)) continue
    if (pixel < low) low = pixel
    if (pixel > high) high = pixel
  }
  return low <= high ? [low, high] : []
}
