import { sha256OfCalibrated, summarise, type CalibratedPart } from '../media/array-summary.ts'
import type { FileReport } from './file-report.ts'
import { decodeDicom, type DicomImage } from '../dicom/dicom-image.ts'
import { dicomFacts } from '../dicom/dicom-facts.ts'
import { parseDicomFile } from '../dicom/dicom-file.ts'
import { patientFields } from '../dicom/patient-fields.ts'
import { physicalValue } from '../dicom/modality-transform.ts'

/** Inspects the pixels of a DICOM file, [frames, rows, columns, samples] in C order. */
export async function inspectDicom(bytes: Uint8Array): Promise<FileReport> {
  const image = await decodeDicom(bytes)
  const file = parseDicomFile(bytes)
  const { shape, dtype, pixels, spacing, warnings } = image
  return {
    format: 'dicom',
    shape,
    dtype,
    ...(spacing.length > 0 && { spacing }),
    ...summarise(pixels),
    sha256Physical: sha256OfCalibrated(physicalParts(image)),
    about: dicomFacts(file, image),
    patientFields: patientFields(file.dataSet),
    warnings,
  }
}

/** The values of the modality, each frame by its own transform. */
export function physicalParts({ pixels, display, frames, rows, columns, samples }: DicomImage): CalibratedPart[] {
  const size = rows * columns * samples
  return Array.from({ length: frames }, (_, frame) => {
    const modality = display.frames[frame]?.modality ?? { type: 'rescale', slope: 1, intercept: 0 }
    const values = pixels.subarray(frame * size, (frame + 1) * size)
    return { values, calibrate: (stored: number) => physicalValue(modality, stored) }
  })
}
