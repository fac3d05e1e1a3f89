import { voxelTypes, type Voxels, type VoxelType } from '../volume/voxels.ts'
import type { ColourKind } from './colour-models.ts'

/** Rows: red, green, blue from luminance and both colour differences; then what is taken from the luminance first. */
const matrices = {
  /** Full range (PS3.3 C.7.6.3.1.2, ITU-T T.871). */
  ybr: {
    luminance: 1,
    red: 1.402,
    greenOfBlue: (0.114 * 1.772) / 0.587,
    greenOfRed: (0.299 * 1.402) / 0.587,
    blue: 1.772,
    black: 0,
  },
  /** Luminance from 16 to 235, differences from 16 to 240 of 255 (ITU-R BT.601). */
  'ybr-partial': {
    luminance: 255 / 219,
    red: (1.402 * 255) / 224,
    greenOfBlue: (((0.114 * 1.772) / 0.587) * 255) / 224,
    greenOfRed: (((0.299 * 1.402) / 0.587) * 255) / 224,
    blue: (1.772 * 255) / 224,
    black: 16,
  },
} as const

/**
 * Converts colours of the given kind to red, green, blue.
 *
 * @param pixels [3 * pixels] samples adjacent
 * @param bits bits of a sample
 * @returns [3 * pixels] of the same type; the same array where they are red, green, blue
 */
export function toRgb(
  pixels: Voxels,
  { kind, bits, dtype }: { readonly kind: ColourKind; readonly bits: number; readonly dtype: VoxelType },
): Voxels {
  if (kind !== 'ybr' && kind !== 'ybr-partial') return pixels
  const { luminance, red, greenOfBlue, greenOfRed, blue, black } = matrices[kind]
  const [half, most] = [2 ** (bits - 1), 2 ** bits - 1]
  const base = (black * most) / 255
  const clip = (value: number) => Math.min(most, Math.max(0, Math.floor(value + 0.5)))
  const out = voxelTypes[dtype].make(pixels.length)
  for (let i = 0; i + 2 < pixels.length; i += 3) {
    // Three samples per pixel, bounded by the loop.
    const [y, cb, cr] = [(pixels[i]! - base) * luminance, pixels[i + 1]! - half, pixels[i + 2]! - half]
    out[i] = clip(y + red * cr)
    out[i + 1] = clip(y - greenOfBlue * cb - greenOfRed * cr)
    out[i + 2] = clip(y + blue * cb)
  }
  return out
}

/**
 * Gives every pixel its colour differences: two pixels are stored as two luminances and one pair of differences.
 *
 * @param stored [2 * pixels] y, y, cb, cr again and again
 * @returns [3 * pixels]
 */
export function spread422(
  stored: Voxels,
  { count, dtype }: { readonly count: number; readonly dtype: VoxelType },
): Voxels {
  const out = voxelTypes[dtype].make(count)
  for (let from = 0, to = 0; to < count; from += 4, to += 6) {
    const [y0 = 0, y1 = 0, cb = 0, cr = 0] = [stored[from], stored[from + 1], stored[from + 2], stored[from + 3]]
    out[to] = y0
    out[to + 1] = cb
    out[to + 2] = cr
    // The last pixel of an odd number has no neighbour: writing beyond the end of a typed array does nothing.
    out[to + 3] = y1
    out[to + 4] = cb
    out[to + 5] = cr
  }
  return out
}

/** Colours stored plane after plane, frame by frame, become pixel after pixel. */
export function interleavePlanes(
  planes: Voxels,
  { plane, dtype }: { readonly plane: number; readonly dtype: VoxelType },
): Voxels {
  const out = voxelTypes[dtype].make(planes.length)
  for (let start = 0; start < planes.length; start += plane * 3)
    for (let c = 0; c < 3; c++) for (let i = 0; i < plane; i++) out[start + i * 3 + c] = planes[start + c * plane + i]! // bounded by the loops
  return out
}
