import { encodersErrors } from '../errors.ts'

/** Which time patches a pre-training step hides; the same in all leads. */
export interface PatchMask {
  /** Ascending. */
  readonly visible: readonly number[]
  /** Ascending. */
  readonly masked: readonly number[]
}

/** Share of the patches that a draw hides: between the first and the second number. */
export type MaskScale = readonly [low: number, high: number]

/** Blocks that a multi-block mask draws; they may overlap. */
const blocksPerMask = 4

/**
 * Splits the time patches of a lead.
 *
 * @param masked patches to hide
 * @throws ENCODERS_ECG_MASK when none or all are hidden
 */
export function patchMask(numPatches: number, masked: ReadonlySet<number>): PatchMask {
  const patches = Array.from({ length: numPatches }, (_, patch) => patch)
  const mask = {
    visible: patches.filter(patch => !masked.has(patch)),
    masked: patches.filter(patch => masked.has(patch)),
  }
  if (mask.visible.length === 0 || mask.masked.length === 0)
    throw encodersErrors.ECG_MASK({ masked: mask.masked.length, patches: numPatches })
  return mask
}

/**
 * Hides patches one by one (the official code's `random`, scale 0.6 to 0.7).
 *
 * @param random uniform in [0, 1)
 * @throws ENCODERS_ECG_MASK when none or all are hidden
 */
export function randomPatchMask(numPatches: number, scale: MaskScale, random: () => number): PatchMask {
  const count = drawnCount(numPatches, scale, random)
  const left = Array.from({ length: numPatches }, (_, patch) => patch)
  const masked = Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)).flat()
  return patchMask(numPatches, new Set(masked))
}

/**
 * Hides four runs of patches, which may overlap (the official code's `block`, scale 0.175 to 0.225).
 *
 * @param random uniform in [0, 1)
 * @throws ENCODERS_ECG_MASK when none or all are hidden
 */
export function blockPatchMask(numPatches: number, scale: MaskScale, random: () => number): PatchMask {
  const masked = new Set<number>()
  for (let block = 0; block < blocksPerMask; block++) {
    const length = drawnCount(numPatches, scale, random)
    const start = Math.floor(random() * (numPatches - length))
    for (let patch = start; patch < start + length; patch++) masked.add(patch)
  }
  return patchMask(numPatches, masked)
}

function drawnCount(numPatches: number, [low, high]: MaskScale, random: () => number): number {
  return Math.min(numPatches, Math.floor(numPatches * (low + (high - low) * random())))
}
