import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { dataErrors } from '../errors.ts'
import { readInputFile } from '../files/input-file.ts'
import { decodeMetaImage, maxMetaHeaderBytes, metaImageShape, parseMetaImageHeader } from './meta-image.ts'
import { isNifti, niftiHeaderBytes, niftiShape, readNifti } from './nifti.ts'
import type { Volume } from './voxels.ts'

/**
 * Reads a volume: NIfTI (compressed or not) or MetaImage (`.mhd` with its data file, `.mha`), told by content.
 *
 * @throws DATA_INPUT_MISSING, DATA_INPUT_IRREGULAR, DATA_VOLUME_INVALID
 */
export async function readVolume(file: string): Promise<Volume> {
  return decodeVolume(await readInputFile(file), file)
}

/**
 * Decodes a volume whose bytes are at hand.
 *
 * @param file where they come from: the data file of a `.mhd` is read from beside it. Without it such a header is refused
 */
export async function decodeVolume(bytes: Uint8Array, file?: string): Promise<Volume> {
  if (isNiftiFile(bytes, file ?? '')) return readNifti(bytes)
  const header = parseMetaImageHeader(bytes)
  if (header.dataFile === undefined) return decodeMetaImage(header, bytes)
  if (file === undefined) throw dataErrors.VOLUME_INVALID({ problem: 'its voxels stand in another file' })
  const folder = path.dirname(file)
  // A folder of links may lead to another folder, where header and data lie side by side.
  const inside = [folder, path.dirname(await realpath(file))]
  return decodeMetaImage(header, await readInputFile(path.join(folder, header.dataFile), { inside }))
}

/**
 * Reads the size of a volume along its stored axes, without its voxels.
 *
 * @throws DATA_INPUT_MISSING, DATA_INPUT_IRREGULAR, DATA_VOLUME_INVALID
 */
export async function readVolumeShape(file: string): Promise<readonly number[]> {
  const start = await readInputFile(file, { first: niftiHeaderBytes })
  if (isNiftiFile(start, file)) return niftiShape(start)
  return metaImageShape(parseMetaImageHeader(await readInputFile(file, { first: maxMetaHeaderBytes })))
}

/** Tells whether bytes are read as NIfTI: by content, else by the name. */
export function isNiftiFile(bytes: Uint8Array, file: string): boolean {
  return isNifti(bytes) || /\.nii(\.gz)?$/i.test(file)
}
