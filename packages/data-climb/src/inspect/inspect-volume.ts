import { sha256OfCalibrated, summarise } from '../media/array-summary.ts'
import type { FileReport } from './file-report.ts'
import { decodeVolume, isNiftiFile } from '../volume/volume-file.ts'

/** Inspects a volume; hashes run over the voxels with the first axis fastest. MetaImage shapes are given as z, y, x. */
export async function inspectVolume(bytes: Uint8Array, file: string): Promise<FileReport> {
  const volume = await decodeVolume(bytes, file)
  const { slope, intercept } = volume
  const isNifti = isNiftiFile(bytes, file)
  return {
    format: isNifti ? 'nifti' : 'metaimage',
    shape: isNifti ? volume.shape : volume.shape.toReversed(),
    dtype: volume.dtype,
    spacing: volume.spacing,
    ...summarise(volume.voxels),
    sha256Physical: sha256OfCalibrated([{ values: volume.voxels, calibrate: voxel => voxel * slope + intercept }]),
    warnings: volume.warnings,
  }
}
