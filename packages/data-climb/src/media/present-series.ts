import type { DicomImage } from '../dicom/dicom-image.ts'
import { dicomPictures } from '../dicom/dicom-display.ts'
import { physicalValue } from '../dicom/modality-transform.ts'
import { decodeSlice, openSeries } from './dicom-series.ts'
import type { IntensityWindow, WindowChoice } from '../volume/intensity-window.ts'
import { framesPerVolume, interiorPositions } from '../volume/slices.ts'
import type { PresentedVolume } from './present-volume.ts'

/**
 * Shows the slices of a DICOM series as a model sees a volume: `frames` of them, evenly over its interior and in the order of the
 * patient, each as its file stores it. Slices without a window of their own are shown over the range of all of them together.
 *
 * @throws DATA_SERIES_INVALID, and the errors of `decodeDicom`
 */
export async function presentSeries(
  folder: string,
  {
    window,
    frames = framesPerVolume,
  }: { readonly window?: WindowChoice | undefined; readonly frames?: number | undefined },
): Promise<PresentedVolume> {
  const { slices, warnings } = await openSeries(folder)
  const positions = interiorPositions(slices.length, Math.min(slices.length, frames))
  const images: DicomImage[] = []
  for (const position of positions) images.push(await decodeSlice(slices[position]!)) // a position of a slice
  const common = commonWindow(images, window)
  const pictures = images.flatMap(image => dicomPictures(image, { window: common }))
  const said = pictures.map(picture => ({ ...picture, warnings: [...warnings, ...(picture.warnings ?? [])] }))
  return { type: slices.length > 1 ? 'video' : 'image', pictures: said, positions, length: slices.length }
}

/** The range of all slices where no window is given and none of them has one: each by itself would differ in brightness. */
function commonWindow(images: readonly DicomImage[], choice: WindowChoice = 'file'): WindowChoice {
  const isOwn = choice === 'file' && images.every(({ display }) => display.frames[0]?.voi !== undefined)
  if (isOwn || (choice !== 'file' && choice !== 'range')) return choice
  if (images.some(({ samples, display }) => samples > 1 || display.palette)) return choice
  return rangeOf(images) ?? choice
}

function rangeOf(images: readonly DicomImage[]): IntensityWindow | undefined {
  let [low, high] = [Infinity, -Infinity]
  for (const { pixels, display } of images) {
    const modality = display.frames[0]?.modality
    for (const stored of pixels) {
      if (display.padding && stored >= display.padding[0] && stored <= display.padding[1]) continue
      const value = modality ? physicalValue(modality, stored) : stored
      if (value < low) low = value
      if (value > high) high = value
    }
  }
  return high > low ? { center: (low + high) / 2, width: high - low } : undefined
}
