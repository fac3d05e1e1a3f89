import type { RgbImage } from '../sample.ts'
import { framesPerVolume, interiorPositions, type IntensityWindow } from '../volume/slices.ts'
import type { DicomImage } from './dicom-image.ts'

/**
 * Turns a DICOM image into 8-bit RGB as a viewer shows it: rescale, then the given or the file's first VOI window, or the
 * range of the values; MONOCHROME1 inverted; colours as they are. Of many frames, four are taken.
 */
export function dicomPictures(
  image: DicomImage,
  { window = image.window }: { readonly window?: IntensityWindow | undefined } = {},
): RgbImage[] {
  const positions = image.frames === 1 ? [0] : interiorPositions(image.frames, framesPerVolume)
  const frameSize = image.rows * image.columns * image.samples
  const level = image.samples === 3 ? colourLevel(image) : greyLevel(image, window)
  return positions.map(position => {
    const frame = image.pixels.subarray(position * frameSize, (position + 1) * frameSize)
    const data = new Uint8Array(image.rows * image.columns * 3)
    for (let i = 0; i < data.length; i++) data[i] = level(frame[image.samples === 3 ? i : Math.floor(i / 3)]!) // one or three per pixel
    return { width: image.columns, height: image.rows, data }
  })
}

function colourLevel({ dtype }: DicomImage): (value: number) => number {
  return dtype === 'uint16' ? value => value >> 8 : value => Math.min(255, value)
}

function greyLevel(image: DicomImage, window: IntensityWindow | undefined): (value: number) => number {
  const { slope, intercept, isInverted } = image
  const [low, high] = window ? windowRange(window) : physicalRange(image)
  const scale = high > low ? 255 / (high - low) : 0
  return value => {
    const shade = Math.max(0, Math.min(255, Math.round((value * slope + intercept - low) * scale)))
    return isInverted ? 255 - shade : shade
  }
}

/** Ends of a window by the LINEAR function of PS3.3 C.11.2.1.2. */
function windowRange({ center, width }: IntensityWindow): [number, number] {
  return [center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2]
}

function physicalRange({ pixels, slope, intercept }: DicomImage): [number, number] {
  let [low, high] = [Infinity, -Infinity]
  for (const pixel of pixels) {
    if (pixel < low) low = pixel
    if (pixel > high) high = pixel
  }
  const ends = [low * slope + intercept, high * slope + intercept]
  return [Math.min(...ends), Math.max(...ends)]
}
