import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { dataErrors } from '../errors.ts'
import { decodeMetaImage, parseMetaImageHeader } from './meta-image.ts'
import { readNifti } from './nifti.ts'
import type { Volume } from './voxels.ts'

/**
 * Reads a volume: NIfTI (`.nii`, `.nii.gz`) or MetaImage (`.mhd` with its data file, `.mha`).
 *
 * @throws DATA_INPUT_MISSING, DATA_VOLUME_INVALID
 */
export async function readVolume(file: string): Promise<Volume> {
  const bytes = await load(file)
  if (/\.nii(\.gz)?$/i.test(file)) return readNifti(bytes)
  const header = parseMetaImageHeader(bytes)
  return decodeMetaImage(
    header,
    header.dataFile === undefined ? bytes : await load(path.join(path.dirname(file), header.dataFile)),
  )
}

async function load(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw dataErrors.INPUT_MISSING({ file: path.basename(file) }, { cause })
  }
}
