import type { NiftiLayout } from './nifti-layout.ts'

interface AffineContext {
  readonly le: boolean
  readonly float: (field: readonly [number, number], i: number) => number
  readonly spacing: readonly number[]
  readonly shape: readonly number[]
}

/** The sform where it is set, else the qform, else the voxel sizes about the volume's centre, as nibabel does. */
export function niftiAffine(
  view: DataView,
  layout: NiftiLayout,
  { le, float, spacing, shape }: AffineContext,
): number[] {
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
