import type { IntensityWindow } from './intensity-window.ts'

/** Element types of volumes, with the typed array that holds them and how one element is read. */
export const voxelTypes = {
  uint8: {
    bytes: 1,
    make: (n: number) => new Uint8Array(n),
    view: (buffer: ArrayBufferLike, at: number, n: number) => new Uint8Array(buffer, at, n),
    get: (view: DataView, at: number) => view.getUint8(at),
  },
  int8: {
    bytes: 1,
    make: (n: number) => new Int8Array(n),
    view: (buffer: ArrayBufferLike, at: number, n: number) => new Int8Array(buffer, at, n),
    get: (view: DataView, at: number) => view.getInt8(at),
  },
  int16: {
    bytes: 2,
    make: (n: number) => new Int16Array(n),
    view: (buffer: ArrayBufferLike, at: number, n: number) => new Int16Array(buffer, at, n),
    get: (view: DataView, at: number, le: boolean) => view.getInt16(at, le),
  },
  uint16: {
    bytes: 2,
    make: (n: number) => new Uint16Array(n),
    view: (buffer: ArrayBufferLike, at: number, n: number) => new Uint16Array(buffer, at, n),
    get: (view: DataView, at: number, le: boolean) => view.getUint16(at, le),
  },
  int32: {
    bytes: 4,
    make: (n: number) => new Int32Array(n),
    view: (buffer: ArrayBufferLike, at: number, n: number) => new Int32Array(buffer, at, n),
    get: (view: DataView, at: number, le: boolean) => view.getInt32(at, le),
  },
  uint32: {
    bytes: 4,
    make: (n: number) => new Uint32Array(n),
    view: (buffer: ArrayBufferLike, at: number, n: number) => new Uint32Array(buffer, at, n),
    get: (view: DataView, at: number, le: boolean) => view.getUint32(at, le),
  },
  float32: {
    bytes: 4,
    make: (n: number) => new Float32Array(n),
    view: (buffer: ArrayBufferLike, at: number, n: number) => new Float32Array(buffer, at, n),
    get: (view: DataView, at: number, le: boolean) => view.getFloat32(at, le),
  },
  float64: {
    bytes: 8,
    make: (n: number) => new Float64Array(n),
    view: (buffer: ArrayBufferLike, at: number, n: number) => new Float64Array(buffer, at, n),
    get: (view: DataView, at: number, le: boolean) => view.getFloat64(at, le),
  },
} as const

/** Name of an element type. */
export type VoxelType = keyof typeof voxelTypes

/** A typed array of voxels. */
export type Voxels = ReturnType<(typeof voxelTypes)[VoxelType]['view']>

/** A volume: voxels with their place in the patient. */
export interface Volume {
  /** Size along the stored axes, fastest first. */
  readonly shape: readonly number[]
  readonly dtype: VoxelType
  /** [product of shape] values as stored, first axis fastest. */
  readonly voxels: Voxels
  /** Physical value = stored * slope + intercept. */
  readonly slope: number
  readonly intercept: number
  /** Millimetres per step along each stored axis. */
  readonly spacing: readonly number[]
  /** Row-major 3 x 4 matrix from voxel indexes to millimetres, x to the right, y to the front, z to the head (RAS+). */
  readonly affine: readonly number[]
  /** The values that the file says should be seen, where it does. */
  readonly window?: IntensityWindow
  /** What was tolerated, in words. */
  readonly warnings: readonly string[]
}

/** Copies elements out of bytes; the caller has checked that they are there. */
export function readVoxels(
  bytes: Uint8Array,
  {
    start,
    count,
    dtype,
    isLittleEndian,
  }: { readonly start: number; readonly count: number; readonly dtype: VoxelType; readonly isLittleEndian: boolean },
): Voxels {
  const type = voxelTypes[dtype]
  const voxels = type.make(count)
  if (isLittleEndian) {
    new Uint8Array(voxels.buffer).set(bytes.subarray(start, start + count * type.bytes))
    return voxels
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + start)
  for (let i = 0; i < count; i++) voxels[i] = type.get(view, i * type.bytes, false)
  return voxels
}

/** Elements in bytes: a view of them where they are little-endian and lie as typed arrays need them, else a copy. */
export function viewVoxels(bytes: Uint8Array, layout: Parameters<typeof readVoxels>[1]): Voxels {
  const { start, count, dtype, isLittleEndian } = layout
  const at = bytes.byteOffset + start
  if (!isLittleEndian || at % voxelTypes[dtype].bytes !== 0) return readVoxels(bytes, layout)
  return voxelTypes[dtype].view(bytes.buffer, at, count)
}

/** Integers of 64 bits, as libraries write masks by default: they are read as float64. */
export const wideIntegers = {
  int64: (view: DataView, at: number, le: boolean) => view.getBigInt64(at, le),
  uint64: (view: DataView, at: number, le: boolean) => view.getBigUint64(at, le),
} as const

/** Bytes of an integer of 64 bits. */
export const wideBytes = 8

/**
 * Reads integers of 64 bits as float64; the caller has checked that they are there.
 *
 * @returns the values, and a warning when some are too large to be exact
 */
export function readWideIntegers(
  bytes: Uint8Array,
  kind: keyof typeof wideIntegers,
  { start, count, isLittleEndian }: Omit<Parameters<typeof readVoxels>[1], 'dtype'>,
): { readonly voxels: Float64Array<ArrayBuffer>; readonly warnings: readonly string[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, count * wideBytes)
  const voxels = new Float64Array(count)
  let inexact = 0
  for (let i = 0; i < count; i++) {
    const value = Number(wideIntegers[kind](view, i * wideBytes, isLittleEndian))
    if (!Number.isSafeInteger(value)) inexact++
    voxels[i] = value
  }
  return { voxels, warnings: inexact > 0 ? [`${inexact} integers of 64 bits are not exact`] : [] }
}

/** Applies slope and intercept: [voxels] as float64. */
export function physicalVoxels({
  voxels,
  slope,
  intercept,
}: Pick<Volume, 'voxels' | 'slope' | 'intercept'>): Float64Array {
  const physical = new Float64Array(voxels.length)
  for (let i = 0; i < voxels.length; i++) physical[i] = voxels[i]! * slope + intercept // bounded by the loop
  return physical
}

/** Says how many voxels are not finite, which are left out of ranges; nothing when all are. */
export function nonFiniteWarning(voxels: Voxels): string[] {
  if (!(voxels instanceof Float32Array || voxels instanceof Float64Array)) return []
  let count = 0
  for (let i = 0; i < voxels.length; i++) {
    const voxel = voxels[i]! // bounded by the loop
    if (voxel - voxel !== 0) count++
  }
  return count === 0
    ? []
    : [`${count} of ${voxels.length} voxels are not finite: they are left out of ranges and shown black`]
}
