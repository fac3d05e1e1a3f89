import { readFile } from 'node:fs/promises'
import { sha256OfArray, summarise } from '../array-summary.ts'
import type { FileReport } from '../inspect.ts'
import { physicalVoxels } from '../volume/voxels.ts'
import { decodeDicom } from './dicom-image.ts'

/** Inspects the pixels of a DICOM file, [frames, rows, columns, samples] in C order. */
export async function inspectDicom(file: string): Promise<FileReport> {
  const { shape, dtype, pixels, slope, intercept, spacing, warnings } = await decodeDicom(await readFile(file))
  return {
    format: 'dicom',
    shape,
    dtype,
    ...(spacing.length > 0 && { spacing }),
    ...summarise(pixels),
    sha256Physical: sha256OfArray(physicalVoxels({ voxels: pixels, slope, intercept })),
    warnings,
  }
}
