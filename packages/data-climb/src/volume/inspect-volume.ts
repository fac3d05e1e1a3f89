import { sha256OfArray, summarise } from '../array-summary.ts'
import type { FileReport } from '../inspect.ts'
import { decodeVolume, isNiftiFile } from './volume-file.ts'
import { physicalVoxels } from './voxels.ts'

/** Inspects a volume; hashes run over the voxels with the first axis fastest. MetaImage shapes are given as z, y, x. */
export async function inspectVolume(bytes: Uint8Array, file: string): Promise<FileReport> {
  const volume = await decodeVolume(bytes, file)
  const isNifti = isNiftiFile(bytes, file)
  return {
    format: isNifti ? 'nifti' : 'metaimage',
    shape: isNifti ? volume.shape : volume.shape.toReversed(),
    dtype: volume.dtype,
    spacing: volume.spacing,
    ...summarise(volume.voxels),
    sha256Physical: sha256OfArray(physicalVoxels(volume)),
    warnings: volume.warnings,
  }
}
