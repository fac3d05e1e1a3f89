import { dataErrors } from '../errors.ts'
import type { PixelMask, RgbImage } from '../sample/sample.ts'
import type { IntensityWindow } from './intensity-window.ts'
import type { Volume } from './voxels.ts'

/** Frames taken from volumes and videos (D.1). */
export const framesPerVolume = 4

/**
 * Positions of `count` frames, spread evenly over the interior: the middles of `count` equal parts, since the first and
 * last slices of a scan hold little.
 */
export function interiorPositions(length: number, count: number = framesPerVolume): number[] {
  return Array.from({ length: count }, (_, i) => Math.min(length - 1, Math.floor(((i + 0.5) * length) / count)))
}

/** How the stored axes lie in the patient: for right, front and head the stored axis and its direction. */
export interface PatientAxes {
  readonly axes: readonly [number, number, number]
  /** 1 where the stored axis runs to the right, front or head, else -1. */
  readonly signs: readonly [number, number, number]
}

/** Assigns the stored axes to right, front and head by the largest entries of the affine, each axis once. */
export function patientAxes({ affine }: Pick<Volume, 'affine'>): PatientAxes {
  const free = new Set([0, 1, 2])
  const entries = [0, 1, 2].flatMap(row => [0, 1, 2].map(axis => ({ row, axis, value: affine[row * 4 + axis] ?? 0 })))
  const axes: [number, number, number] = [0, 1, 2]
  const signs: [number, number, number] = [1, 1, 1]
  const assigned = new Set<number>()
  for (const { row, axis, value } of entries.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value)))
    if (free.has(axis) && !assigned.has(row)) {
      axes[row] = axis
      signs[row] = value < 0 ? -1 : 1
      free.delete(axis)
      assigned.add(row)
    }
  return { axes, signs }
}

/** Frames around a point instead of over the whole volume: a square of `sideMm`, `count` frames `stepMm` apart. */
export interface AroundPoint {
  /** Millimetres to the right, the front and the head (RAS+), as the affine gives them. */
  readonly point: readonly [number, number, number]
  readonly sideMm: number
  readonly stepMm: number
}

/** Which axial pictures are cut from a volume. */
export interface FrameChoice {
  readonly count?: number
  readonly around?: AroundPoint
}

/**
 * Cuts axial slices from a volume, from the feet to the head, as radiologists look at them: front up, the patient's right
 * at the left.
 *
 * @param window grey levels; the range of the finite values where it is missing. What is not finite is black
 * @returns pictures with the volume's warnings
 * @throws DATA_VOLUME_INVALID when the point lies outside the volume
 */
export function axialSlices(
  volume: Volume,
  options: FrameChoice & { readonly window?: IntensityWindow } = {},
): RgbImage[] {
  return axialFrames(volume, options).pictures
}

/** Slices of a volume with which ones they are: `length` counts the slices of the volume. */
export interface AxialFrames {
  readonly pictures: RgbImage[]
  readonly positions: readonly number[]
  readonly length: number
}

/**
 * Cuts the slices of `axialSlices`, and says which they are.
 *
 * @param range the values that become 0 and 255 where there is no window, if they are known already
 * @throws DATA_VOLUME_INVALID when the point lies outside the volume
 */
export function axialFrames(
  volume: Volume,
  {
    window,
    range,
    ...choice
  }: FrameChoice & { readonly window?: IntensityWindow; readonly range?: readonly [number, number] } = {},
): AxialFrames {
  const level = levels(volume, window ? windowEnds(window) : (range ?? finiteRange(volume)))
  const frames = framesOf(volume, choice)
  const { warnings } = volume
  const pictures = frames.map(({ width, height, offsetOf }) => {
    const data = new Uint8Array(width * height * 3)
    for (let y = 0, to = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const shade = level(offsetOf(x, y))
        data[to++] = shade
        data[to++] = shade
        data[to++] = shade
      }
    return { width, height, data, ...(warnings.length > 0 && { warnings }) }
  })
  return { pictures, positions: frames.map(({ position }) => position), length: viewOf(volume).sizes[2] }
}

/**
 * Cuts the same slices from a volume of codes as `axialSlices` from its scan: inside is what has one of the codes.
 *
 * @throws DATA_VOLUME_INVALID when the point lies outside the volume
 */
export function axialMasks(volume: Volume, codes: readonly number[], choice: FrameChoice = {}): PixelMask[] {
  const inside = new Set(codes)
  return framesOf(volume, choice).map(({ width, height, offsetOf }) => {
    const data = new Uint8Array(width * height)
    for (let y = 0, to = 0; y < height; y++)
      for (let x = 0; x < width; x++, to++) data[to] = inside.has(volume.voxels[offsetOf(x, y)] ?? 0) ? 1 : 0
    return { width, height, data }
  })
}

/** One axial picture: its size, and which voxel a pixel shows. */
interface Frame {
  /** Counted from the feet. */
  readonly position: number
  readonly width: number
  readonly height: number
  readonly offsetOf: (x: number, y: number) => number
}

function framesOf(volume: Volume, { count = framesPerVolume, around }: FrameChoice): Frame[] {
  const view = viewOf(volume)
  const { left, top, width, height, positions } = around
    ? regionAround(volume, view, around, count)
    : {
        left: 0,
        top: 0,
        width: view.sizes[0],
        height: view.sizes[1],
        positions: interiorPositions(view.sizes[2], Math.min(count, view.sizes[2])),
      }
  return positions.map(z => ({ position: z, width, height, offsetOf: (x, y) => view.offsetOf(left + x, top + y, z) }))
}

/** A volume as it is looked at: columns from the patient's right, rows from the front, slices from the feet. */
interface AxialView extends PatientAxes {
  readonly sizes: readonly [number, number, number]
  /** Whether columns, rows and slices run against the stored axes. */
  readonly isReversed: readonly [boolean, boolean, boolean]
  readonly offsetOf: (x: number, y: number, z: number) => number
}

function viewOf(volume: Volume): AxialView {
  const { axes, signs } = patientAxes(volume)
  const size = (axis: number) => volume.shape[axis] ?? 1
  const strides = [1, size(0), size(0) * size(1)] as const
  // Columns start at the right and rows at the front, where those axes end; slices start at the feet.
  const isReversed = [signs[0] === 1, signs[1] === 1, signs[2] === -1] as const
  const steps = axes.map((axis, row) => strides[axis as 0 | 1 | 2] * (isReversed[row] ? -1 : 1)) as [
    number,
    number,
    number,
  ] // three axes
  const start = axes.reduce(
    (sum, axis, row) => sum + (isReversed[row] ? (size(axis) - 1) * strides[axis as 0 | 1 | 2] : 0),
    0,
  )
  return {
    axes,
    signs,
    sizes: [size(axes[0]), size(axes[1]), size(axes[2])],
    isReversed,
    offsetOf: (x, y, z) => start + x * steps[0] + y * steps[1] + z * steps[2],
  }
}

interface Region {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly positions: readonly number[]
}

/** The square is moved inward at the edges, and slices beyond the ends are the last ones. */
function regionAround(volume: Volume, view: AxialView, { point, sideMm, stepMm }: AroundPoint, count: number): Region {
  const voxel = voxelOf(volume, point)
  const [x, y, z] = view.axes.map((axis, row) => {
    const at = Math.round(voxel[axis] ?? 0)
    return view.isReversed[row] ? (volume.shape[axis] ?? 1) - 1 - at : at
  }) as [number, number, number] // three axes
  if ([x, y, z].some((at, row) => !(at >= 0 && at < view.sizes[row as 0 | 1 | 2])))
    throw dataErrors.VOLUME_INVALID({ problem: 'a finding lies outside it' })
  const spacing = view.axes.map(axis => volume.spacing[axis] ?? 1) as [number, number, number] // three axes
  const side = (row: 0 | 1) => Math.min(view.sizes[row], Math.max(1, Math.round(sideMm / spacing[row])))
  const start = (at: number, row: 0 | 1) => Math.max(0, Math.min(view.sizes[row] - side(row), at - (side(row) >> 1)))
  const step = stepMm / spacing[2]
  const positions = Array.from({ length: count }, (_, i) =>
    Math.max(0, Math.min(view.sizes[2] - 1, Math.round(z + (i - (count - 1) / 2) * step))),
  )
  return { left: start(x, 0), top: start(y, 1), width: side(0), height: side(1), positions }
}

/** Stored indexes of a point in millimetres: the affine inverted by Cramer's rule. */
function voxelOf({ affine }: Pick<Volume, 'affine'>, point: readonly [number, number, number]): number[] {
  const column = (i: number): Vector => [affine[i] ?? 0, affine[4 + i] ?? 0, affine[8 + i] ?? 0]
  const columns = [column(0), column(1), column(2)] as const
  const origin = column(3)
  const offset: Vector = [point[0] - origin[0], point[1] - origin[1], point[2] - origin[2]]
  const whole = determinant(...columns)
  return columns.map(
    (_, i) => determinant(...(columns.map((own, k) => (k === i ? offset : own)) as [Vector, Vector, Vector])) / whole,
  ) // three columns
}

type Vector = readonly [number, number, number]

function determinant(a: Vector, b: Vector, c: Vector): number {
  return a[0] * (b[1] * c[2] - b[2] * c[1]) - b[0] * (a[1] * c[2] - a[2] * c[1]) + c[0] * (a[1] * b[2] - a[2] * b[1])
}

function windowEnds({ center, width }: IntensityWindow): [number, number] {
  return [center - width / 2, center + width / 2]
}

function levels({ voxels, slope, intercept }: Volume, [low, high]: readonly [number, number]): (at: number) => number {
  const scale = high > low ? 255 / (high - low) : 0
  return at => {
    const value = (voxels[at] ?? 0) * slope + intercept
    return Number.isFinite(value) ? Math.max(0, Math.min(255, Math.round((value - low) * scale))) : 0
  }
}

/** Least and largest finite value of a volume, calibrated; Infinity and -Infinity when there is none. */
export function finiteRange({
  voxels,
  slope,
  intercept,
}: Pick<Volume, 'voxels' | 'slope' | 'intercept'>): [number, number] {
  let [low, high] = [Infinity, -Infinity]
  for (let i = 0; i < voxels.length; i++) {
    const voxel = voxels[i]! // bounded by the loop
    if (voxel - voxel !== 0) continue // neither NaN nor infinite: several times as fast as Number.isFinite here
    if (voxel < low) low = voxel
    if (voxel > high) high = voxel
  }
  const ends = [low * slope + intercept, high * slope + intercept]
  return low <= high ? [Math.min(...ends), Math.max(...ends)] : [Infinity, -Infinity]
}
