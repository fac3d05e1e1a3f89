import { open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { dataErrors } from '../errors.ts'
import { decodeMetaImage, metaImageShape, parseMetaImageHeader } from './meta-image.ts'
import { niftiHeaderBytes, niftiShape, readNifti } from './nifti.ts'
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

/**
 * Reads the size of a volume along its stored axes, without its voxels.
 *
 * @throws DATA_INPUT_MISSING, DATA_VOLUME_INVALID
 */
export async function readVolumeShape(file: string): Promise<readonly number[]> {
  const bytes = await load(file, niftiHeaderBytes)
  return /\.nii(\.gz)?$/i.test(file) ? niftiShape(bytes) : metaImageShape(parseMetaImageHeader(bytes))
}

/** Reads a file, or its first bytes. */
async function load(file: string, bytes?: number): Promise<Uint8Array> {
  try {
    return bytes === undefined ? await readFile(file) : await firstBytes(file, bytes)
  } catch (cause) {
    throw dataErrors.INPUT_MISSING({ file: path.basename(file) }, { cause })
  }
}

async function firstBytes(file: string, bytes: number): Promise<Uint8Array> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(bytes), 0, bytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
