import type { Voxels } from '../volume/voxels.ts'

/** Where a pixel's bits stand in what is allocated for it. */
export interface StoredBits {
  readonly bitsAllocated: number
  readonly bitsStored: number
  /** Position of the highest stored bit, from 0. */
  readonly highBit: number
  readonly isSigned: boolean
}

/**
 * Takes the stored bits out of the allocated ones (PS3.5 8.1.1): what stands above them may be anything, and the highest
 * stored bit is the sign of signed pixels.
 *
 * Pixels that stand at the high end, as old files have them, are told by their content: something is set above the low
 * `bitsStored` bits and nothing below the stored ones. Otherwise the low bits are taken, whatever HighBit says, as pydicom does.
 *
 * @param pixels changed in place
 * @param warn is told what was changed
 */
export function takeStoredBits(pixels: Voxels, bits: StoredBits, warn: (warning: string) => void): void {
  const { bitsAllocated, bitsStored, highBit, isSigned } = bits
  const shift = Math.max(0, highBit + 1 - bitsStored)
  if (bitsStored >= bitsAllocated) return
  const { hasHigh, hasLow } = usedBits(pixels, bits, shift)
  if (shift > 0) warn('HighBit is not BitsStored - 1; the pixels were taken from the bits that are used')
  if (!hasHigh) return
  const isAtTop = shift > 0 && !hasLow
  if (!isAtTop) warn(`bits above the ${bitsStored} stored ones were set and left out`)
  takeBits(pixels, { bits: bitsStored, shift: isAtTop ? shift : 0, isSigned })
}

/** Keeps `bits` bits of every pixel above the lowest `shift`, the highest of them as the sign where pixels are signed; in place. */
export function takeBits(
  pixels: Voxels,
  { bits, shift = 0, isSigned }: { readonly bits: number; readonly shift?: number; readonly isSigned: boolean },
): void {
  const unused = 32 - bits
  for (let i = 0; i < pixels.length; i++) {
    const raised = (pixels[i]! >>> shift) << unused // bounded by the loop
    pixels[i] = isSigned ? raised >> unused : raised >>> unused
  }
}

/** Whether any pixel differs from its low `bitsStored` bits, and whether any has a bit below `shift`. */
function usedBits(
  pixels: Voxels,
  { bitsStored, isSigned }: StoredBits,
  shift: number,
): { readonly hasHigh: boolean; readonly hasLow: boolean } {
  const unused = 32 - bitsStored
  const low = 2 ** shift - 1
  let [high, any] = [0, 0]
  for (let i = 0; i < pixels.length; i++) {
    const pixel = pixels[i]! // bounded by the loop
    any |= pixel
    high |= pixel ^ (isSigned ? (pixel << unused) >> unused : (pixel << unused) >>> unused)
  }
  return { hasHigh: high !== 0, hasLow: (any & low) !== 0 }
}
