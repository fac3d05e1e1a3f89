import { constants, gunzipSync } from 'node:zlib'
import { dataErrors } from '../errors.ts'
import { niftiAffine } from './nifti-affine.ts'
import { niftiLayouts, type NiftiLayout } from './nifti-layout.ts'
import {
  nonFiniteWarning,
  readWideIntegers,
  viewVoxels,
  type wideIntegers,
  voxelTypes,
  type Volume,
  type VoxelType,
} from './voxels.ts'

/** NIfTI datatype codes that are read. */
const dtypeOfCode: ReadonlyMap<number, VoxelType> = new Map([
  [2, 'uint8'],
  [4, 'int16'],
  [8, 'int32'],
  [16, 'float32'],
  [64, 'float64'],
  [256, 'int8'],
  [512, 'uint16'],
  [768, 'uint32'],
])

/** Codes of integers of 64 bits. */
const wideKindOfCode: ReadonlyMap<number, keyof typeof wideIntegers> = new Map([
  [1024, 'int64'],
  [1280, 'uint64'],
])

/** A volume may take 2 GiB; a 512 x 512 x 2,000 CT of 16 bits takes 1 GiB. */
const maxVolumeBytes = 2 ** 31 - 1
/** What may follow the voxels of a compressed file. */
const slackBytes = 2 ** 24
/** Deflate makes at most 1,032 bytes of one. */
const maxRatio = 1032

/**
 * Reads a NIfTI-1 or NIfTI-2 file (`.nii`, `.nii.gz`), of either byte order.
 *
 * @throws DATA_VOLUME_INVALID when the file is no NIfTI, truncated, of an unknown element type, or lies about its size
 */
export function readNifti(bytes: Uint8Array): Volume {
  const start = isGzip(bytes) ? inflateStart(bytes) : bytes
  const { header, isLittleEndian } = parseHeader(start)
  const { voxOffset, wideKind, ...rest } = header
  const count = header.shape.reduce((product, length) => product * length, 1)
  const need = voxOffset + count * voxelTypes[header.dtype].bytes
  const most = isGzip(bytes) ? bytes.length * maxRatio : bytes.length
  if (!Number.isSafeInteger(need) || need > maxVolumeBytes || need > most)
    throw invalid(`its header claims ${need} bytes, it has ${isGzip(bytes) ? 'at most ' : ''}${most}`)
  const inflated = isGzip(bytes) ? inflate(bytes, need) : bytes
  if (inflated.length < need) throw invalid(`its header claims ${need} bytes, it has ${inflated.length}`)
  if (wideKind) {
    const wide = readWideIntegers(inflated, wideKind, { start: voxOffset, count, isLittleEndian })
    return { ...rest, voxels: wide.voxels, warnings: [...header.warnings, ...wide.warnings] }
  }
  const voxels = viewVoxels(inflated, { start: voxOffset, count, dtype: header.dtype, isLittleEndian })
  return { ...rest, voxels, warnings: [...header.warnings, ...nonFiniteWarning(voxels)] }
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** Tells by content whether bytes are a NIfTI file, compressed or not: the size of its header, then its magic. */
export function isNifti(bytes: Uint8Array): boolean {
  if (!isGzip(bytes)) return hasMagic(bytes)
  try {
    return hasMagic(inflateStart(bytes))
  } catch {
    return false
  }
}

function hasMagic(bytes: Uint8Array): boolean {
  if (bytes.length < 348) return false
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(0, bytes[0] !== 0)
  const layout = size === 348 || size === 540 ? niftiLayouts[size] : undefined
  return (
    layout !== undefined &&
    /^n(i|\+)[12]$/.test(new TextDecoder('latin1').decode(bytes.subarray(layout.magicAt, layout.magicAt + 3)))
  )
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
  return parseHeader(isGzip(bytes) ? inflateStart(bytes) : bytes).header.shape
}

/** The bytes of the header, inflated where the file is compressed. @throws DATA_VOLUME_INVALID */
export function niftiHeader(bytes: Uint8Array): Uint8Array {
  const start = isGzip(bytes) ? inflateStart(bytes) : bytes
  if (start.length < 348) throw invalid('it is shorter than a NIfTI header')
  return start.subarray(0, 348)
}

function parseHeader(bytes: Uint8Array): { header: Header; isLittleEndian: boolean } {
  if (bytes.length < 348) throw invalid('it is shorter than a NIfTI header')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isLittleEndian = [348, 540].includes(view.getInt32(0, true))
  const size = view.getInt32(0, isLittleEndian)
  if (size !== 348 && size !== 540) throw invalid('it does not start with the size of a NIfTI header')
  if (bytes.length < size) throw invalid('its header is truncated')
  return { header: readHeader(view, niftiLayouts[size], isLittleEndian), isLittleEndian }
}

type Header = Omit<Volume, 'voxels'> & {
  readonly voxOffset: number
  readonly wideKind: keyof typeof wideIntegers | undefined
}

function readHeader(view: DataView, layout: NiftiLayout, le: boolean): Header {
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
  const wideKind = wideKindOfCode.get(code)
  const dtype = wideKind ? 'float64' : dtypeOfCode.get(code)
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
    wideKind,
    voxOffset,
    slope: isScaled ? slope : 1,
    intercept: isScaled ? intercept : 0,
    spacing,
    affine: niftiAffine(view, layout, { le, float, spacing, shape }),
    ...shownWindow(float(layout.calibrated, 0), float(layout.calibrated, 1)),
    warnings: shape.slice(3).some(length => length > 1) ? ['only the first volume of a series is shown'] : [],
  }
}

/** The greatest and the least value to show, where the file says so. */
function shownWindow(high: number, low: number): Pick<Volume, 'window'> {
  const isSaid = Number.isFinite(low) && Number.isFinite(high) && high > low
  return isSaid ? { window: { center: (low + high) / 2, width: high - low } } : {}
}

/** Inflates what there is of a file that breaks off. */
function inflateStart(bytes: Uint8Array): Uint8Array {
  return inflateBy(() =>
    gunzipSync(bytes.subarray(0, niftiHeaderBytes), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: maxRatio * niftiHeaderBytes,
    }),
  )
}

/** Inflates a file as far as its header allows. */
function inflate(bytes: Uint8Array, need: number): Uint8Array {
  // One chunk for all that is expected: joining chunks would take the memory twice.
  const spare = Math.min(slackBytes, Math.max(leastSpareBytes, Math.floor(need / 64)))
  const options = { maxOutputLength: need + slackBytes, chunkSize: need + spare }
  return inflateBy(() => gunzipSync(bytes, options))
}

const leastSpareBytes = 4096

function inflateBy(work: () => Uint8Array): Uint8Array {
  try {
    return work()
  } catch (cause) {
    throw dataErrors.VOLUME_INVALID({ problem: 'it does not inflate, or to more than its header claims' }, { cause })
  }
}

function invalid(problem: string): Error {
  return dataErrors.VOLUME_INVALID({ problem })
}
