import type { RgbImage } from '../sample.ts'
import type { Volume } from './voxels.ts'

/** The grey levels of a CT: values from `center - width / 2` to `center + width / 2` become 0 to 255. */
export interface IntensityWindow {
  readonly center: number
  readonly width: number
}

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

/**
 * Cuts axial slices from a volume, from the feet to the head, as radiologists look at them: front up, the patient's right
 * at the left.
 *
 * @param window grey levels; the range of the values where it is missing
 */
export function axialSlices(
  volume: Volume,
  { count = framesPerVolume, window }: { readonly count?: number; readonly window?: IntensityWindow } = {},
): RgbImage[] {
  const { axes, signs } = patientAxes(volume)
  const size = (axis: number) => volume.shape[axis] ?? 1
  const strides = [1, size(0), size(0) * size(1)] as const
  const [width, height, depth] = [size(axes[0]), size(axes[1]), size(axes[2])]
  const level = levels(volume, window)
  /** Offset of position `i` along a patient axis, counted against its direction when `isReversed`. */
  const offset = (row: 0 | 1 | 2, i: number, isReversed: boolean) => {
    const axis = axes[row]
    return (signs[row] === 1) === isReversed
      ? (size(axis) - 1 - i) * strides[axis as 0 | 1 | 2]
      : i * strides[axis as 0 | 1 | 2] // one of three axes
  }
  return interiorPositions(depth, count).map(z => {
    const data = new Uint8Array(width * height * 3)
    for (let y = 0, to = 0; y < height; y++)
      for (let x = 0; x < width; x++, to += 3)
        data.fill(level(offset(2, z, false) + offset(1, y, true) + offset(0, x, true)), to, to + 3)
    return { width, height, data }
  })
}

function levels({ voxels, slope, intercept }: Volume, window: IntensityWindow | undefined): (at: number) => number {
  let [low, high] = window
    ? [window.center - window.width / 2, window.center + window.width / 2]
    : [Infinity, -Infinity]
  if (!window)
    for (const voxel of voxels) {
      const value = voxel * slope + intercept
      if (value < low) low = value
      if (value > high) high = value
    }
  const scale = high > low ? 255 / (high - low) : 0
  return at => Math.max(0, Math.min(255, Math.round(((voxels[at] ?? 0) * slope + intercept - low) * scale)))
}
