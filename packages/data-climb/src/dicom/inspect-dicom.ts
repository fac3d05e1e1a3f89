import { sha256OfArray, summarise } from '../array-summary.ts'
import type { FileReport } from '../inspect.ts'
import { decodeDicom, type DicomImage } from './dicom-image.ts'
import { physicalValue } from './modality-transform.ts'

/** Inspects the pixels of a DICOM file, [frames, rows, columns, samples] in C order. */
export async function inspectDicom(bytes: Uint8Array): Promise<FileReport> {
  const image = await decodeDicom(bytes)
  const { shape, dtype, pixels, spacing, warnings } = image
  return {
    format: 'dicom',
    shape,
    dtype,
    ...(spacing.length > 0 && { spacing }),
    ...summarise(pixels),
    sha256Physical: sha256OfArray(physicalPixels(image)),
    warnings,
  }
}

/** The values of the modality, each frame by its own transform. */
function physicalPixels({ pixels, display, frames, rows, columns, samples }: DicomImage): Float64Array {
  const size = rows * columns * samples
  const physical = new Float64Array(pixels.length)
  for (let frame = 0; frame < frames; frame++) {
    const modality = display.frames[frame]?.modality ?? { type: 'rescale', slope: 1, intercept: 0 }
    const end = (frame + 1) * size
    if (modality.type === 'rescale') {
      const { slope, intercept } = modality
      for (let i = frame * size; i < end; i++) physical[i] = pixels[i]! * slope + intercept // bounded by the loop
    } else for (let i = frame * size; i < end; i++) physical[i] = physicalValue(modality, pixels[i]!) // as above
  }
  return physical
}
