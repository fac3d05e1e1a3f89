/** Derives a 32-bit seed from a seed and any number of counters (FNV-1a over their bytes). */
export function mixSeed(...parts: readonly number[]): number {
  let hash = 0x811c9dc5
  for (const part of parts) {
    for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((part >>> shift) & 255), 0x01000193)
  }
  return hash >>> 0
}
