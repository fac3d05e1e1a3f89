import { constants, gunzipSync } from 'node:zlib'
import { dataErrors } from '../errors.ts'
import { readVoxels, voxelTypes, type Volume, type VoxelType } from './voxels.ts'

/** NIfTI datatype codes that are read. */
const dtypeOfCode: Readonly<Record<number, VoxelType>> = {
  2: 'uint8',
  4: 'int16',
  8: 'int32',
  16: 'float32',
  64: 'float64',
  256: 'int8',
  512: 'uint16',
  768: 'uint32',
}

/** A volume may inflate to 2 GiB; a 512 x 512 x 2,000 CT of 16 bits takes 1 GiB. */
const maxInflatedBytes = 2 ** 31

/** Where the fields of both header versions lie, and how they are read. */
const layouts = {
  348: {
    magicAt: 344,
    dims: [40, 2],
    datatype: 70,
    pixdim: [76, 4],
    voxOffset: [108, 'f32'],
    slope: [112, 4],
    forms: 252,
    quatern: [256, 4],
    srow: [280, 4],
  },
  540: {
    magicAt: 4,
    dims: [16, 8],
    datatype: 12,
    pixdim: [104, 8],
    voxOffset: [168, 'i64'],
    slope: [176, 8],
    forms: 344,
    quatern: [352, 8],
    srow: [400, 8],
  },
} as const

type Layout = (typeof layouts)[keyof typeof layouts]

/**
 * Reads a NIfTI-1 or NIfTI-2 file (`.nii`, `.nii.gz`), of either byte order.
 *
 * @throws DATA_VOLUME_INVALID when the file is no NIfTI, truncated, of an unknown element type, or lies about its size
 */
export function readNifti(bytes: Uint8Array): Volume {
  const inflated = bytes[0] === 0x1f && bytes[1] === 0x8b ? inflate(bytes) : bytes
  const { header, isLittleEndian } = parseHeader(inflated)
  const count = header.shape.reduce((product, length) => product * length, 1)
  const need = header.voxOffset + count * voxelTypes[header.dtype].bytes
  if (!Number.isSafeInteger(need) || inflated.length < need)
    throw invalid(`its header claims ${need} bytes, it has ${inflated.length}`)
  const { voxOffset: start, ...rest } = header
  return { ...rest, voxels: readVoxels(inflated, { start, count, dtype: header.dtype, isLittleEndian }) }
}

/** Bytes that hold the header of either version, compressed or not. */
export const niftiHeaderBytes = 4096

/**
 * Reads the size along the stored axes from the first bytes of a file.
 *
 * @param bytes at least `niftiHeaderBytes` of them, or the whole file
 * @throws DATA_VOLUME_INVALID as `readNifti`
 */
export function niftiShape(bytes: Uint8Array): readonly number[] {
  const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b
  return parseHeader(isCompressed ? inflateStart(bytes) : bytes).header.shape
}

function parseHeader(bytes: Uint8Array): { header: Header; isLittleEndian: boolean } {
  if (bytes.length < 348) throw invalid('it is shorter than a NIfTI header')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isLittleEndian = [348, 540].includes(view.getInt32(0, true))
  const size = view.getInt32(0, isLittleEndian)
  if (size !== 348 && size !== 540) throw invalid('it does not start with the size of a NIfTI header')
  if (bytes.length < size) throw invalid('its header is truncated')
  return { header: readHeader(view, layouts[size], isLittleEndian), isLittleEndian }
}

type Header = Omit<Volume, 'voxels'> & { readonly voxOffset: number }

function readHeader(view: DataView, layout: Layout, le: boolean): Header {
  const float = ([at, width]: readonly [number, number], i: number) =>
    width === 8 ? view.getFloat64(at + i * 8, le) : view.getFloat32(at + i * 4, le)
  const dim = (i: number) =>
    layout.dims[1] === 8
      ? Number(view.getBigInt64(layout.dims[0] + i * 8, le))
      : view.getInt16(layout.dims[0] + i * 2, le)
  const rank = dim(0)
  if (!(rank >= 1 && rank <= 7)) throw invalid(`it has ${rank} dimensions`)
  const shape = Array.from({ length: rank }, (_, i) => dim(i + 1))
  if (shape.some(length => length < 1)) throw invalid(`its shape ${shape.join(' x ')} holds nothing`)
  const code = view.getInt16(layout.datatype, le)
  const dtype = dtypeOfCode[code]
  if (dtype === undefined) throw invalid(`its element type ${code} is not read`)
  const [offsetAt, offsetKind] = layout.voxOffset
  const voxOffset = Math.max(
    offsetKind === 'f32' ? view.getFloat32(offsetAt, le) : Number(view.getBigInt64(offsetAt, le)),
    0,
  )
  if (!Number.isSafeInteger(voxOffset)) throw invalid('its data offset is no whole number')
  const [slope, intercept] = [float(layout.slope, 0), float(layout.slope, 1)]
  const isScaled = slope !== 0 && Number.isFinite(slope) && Number.isFinite(intercept)
  const spacing = shape.map((_, i) => Math.abs(float(layout.pixdim, i + 1)) || 1)
  return {
    shape,
    dtype,
    voxOffset,
    slope: isScaled ? slope : 1,
    intercept: isScaled ? intercept : 0,
    spacing,
    affine: affineOf(view, layout, { le, float, spacing, shape }),
    warnings: [],
  }
}

interface AffineContext {
  readonly le: boolean
  readonly float: (field: readonly [number, number], i: number) => number
  readonly spacing: readonly number[]
  readonly shape: readonly number[]
}

/** The sform where it is set, else the qform, else the voxel sizes about the volume's centre, as nibabel does. */
function affineOf(view: DataView, layout: Layout, { le, float, spacing, shape }: AffineContext): number[] {
  const isWide = layout.dims[1] === 8
  const [qform, sform] = isWide
    ? [view.getInt32(layout.forms, le), view.getInt32(layout.forms + 4, le)]
    : [view.getInt16(layout.forms, le), view.getInt16(layout.forms + 2, le)]
  if (sform > 0) return Array.from({ length: 12 }, (_, i) => float(layout.srow, i))
  const [dx = 1, dy = 1, dz = 1] = spacing
  if (qform <= 0)
    return [
      -dx,
      0,
      0,
      (dx * ((shape[0] ?? 1) - 1)) / 2,
      0,
      dy,
      0,
      (-dy * ((shape[1] ?? 1) - 1)) / 2,
      0,
      0,
      dz,
      (-dz * ((shape[2] ?? 1) - 1)) / 2,
    ]
  const [b, c, d, x, y, z] = Array.from({ length: 6 }, (_, i) => float(layout.quatern, i)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ] // six fields
  const a = Math.sqrt(Math.max(0, 1 - (b * b + c * c + d * d)))
  const sign = float(layout.pixdim, 0) < 0 ? -dz : dz
  return [
    (a * a + b * b - c * c - d * d) * dx,
    2 * (b * c - a * d) * dy,
    2 * (b * d + a * c) * sign,
    x,
    2 * (b * c + a * d) * dx,
    (a * a + c * c - b * b - d * d) * dy,
    2 * (c * d - a * b) * sign,
    y,
    2 * (b * d - a * c) * dx,
    2 * (c * d + a * b) * dy,
    (a * a + d * d - c * c - b * b) * sign,
    z,
  ]
}

/** Inflates what there is of a file that breaks off. */
function inflateStart(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: maxStartBytes })
  } catch (cause) {
    throw dataErrors.VOLUME_INVALID({ problem: 'it does not inflate' }, { cause })
  }
}

/** The start of a file may inflate a thousandfold. */
const maxStartBytes = 1032 * niftiHeaderBytes

function inflate(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxInflatedBytes })
  } catch (cause) {
    throw dataErrors.VOLUME_INVALID({ problem: 'it does not inflate, or not within 2 GiB' }, { cause })
  }
}

function invalid(problem: string): Error {
  return dataErrors.VOLUME_INVALID({ problem })
}
