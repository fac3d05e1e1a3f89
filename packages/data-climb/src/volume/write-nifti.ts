import { voxelTypes, type Volume, type VoxelType } from './voxels.ts'

const headerBytes = 348
const dataStart = 352

/** NIfTI datatype codes. */
const codeOfDtype: Readonly<Record<VoxelType, number>> = {
  uint8: 2,
  int16: 4,
  int32: 8,
  float32: 16,
  float64: 64,
  int8: 256,
  uint16: 512,
  uint32: 768,
}

/** Encodes a volume of up to seven dimensions as a little-endian NIfTI-1 file with an sform; compress it for `.nii.gz`. */
export function encodeNifti({ shape, dtype, voxels, slope, intercept, spacing, affine }: Volume): Uint8Array {
  const bytes = new Uint8Array(dataStart + voxels.byteLength)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, headerBytes, true)
  for (let i = 0; i < 8; i++) view.setInt16(40 + 2 * i, i === 0 ? shape.length : (shape[i - 1] ?? 1), true)
  view.setInt16(70, codeOfDtype[dtype], true)
  view.setInt16(72, 8 * voxelTypes[dtype].bytes, true)
  for (let i = 0; i < 8; i++) view.setFloat32(76 + 4 * i, i === 0 ? 1 : (spacing[i - 1] ?? 1), true)
  view.setFloat32(108, dataStart, true)
  view.setFloat32(112, slope, true)
  view.setFloat32(116, intercept, true)
  view.setUint8(123, 2) // millimetres
  view.setInt16(254, 1, true)
  for (const [i, value] of affine.entries()) view.setFloat32(280 + 4 * i, value, true)
  bytes.set([0x6e, 0x2b, 0x31, 0], 344)
  bytes.set(new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength), dataStart)
  return bytes
}
