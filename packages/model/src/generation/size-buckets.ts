/**
 * Rounds a length up to one of few, so that few programs serve all: multiples of 32 up to 256, of 64 up to 512, of 128 up
 * to 1,024, of 256 beyond. At most a fifth is padding from 160 on.
 */
export function lengthBucket(length: number): number {
  const step = length <= 256 ? 32 : length <= 512 ? 64 : length <= 1024 ? 128 : 256
  return Math.max(step, Math.ceil(length / step) * step)
}

/** Rounds a number of sequences up to a power of two. */
export function batchBucket(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, count)))
}
