import type { MaskSource } from './dataset.ts'

/** Paths of a mask's files, relative to the dataset's folder. */
export function filesOfMask(mask: MaskSource): readonly [string, ...string[]] {
  if (typeof mask === 'string') return [mask]
  if ('file' in mask) return [mask.file]
  return 'volume' in mask ? [mask.volume] : mask.largestOf
}
