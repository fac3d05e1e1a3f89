const scratch = new Float32Array(1)
const scratchBits = new Uint32Array(scratch.buffer)

/** Rounds a number to bfloat16 (the upper half of a float32), ties to even. Answers the 16 bits. */
export function float32ToBfloat16(value: number): number {
  scratch[0] = value
  const bits = scratchBits[0]!
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40
  return (bits >>> 16) + roundUp(bits, 16)
}

/** Widens bfloat16 numbers: `source` holds their 16 bits, `target` receives as many float32 numbers. Exact. */
export function widenBfloat16(source: Uint16Array, target: Float32Array): void {
  const targetBits = new Uint32Array(target.buffer, target.byteOffset, target.length)
  for (let i = 0; i < source.length; i++) targetBits[i] = source[i]! << 16
}

function roundUp(bits: number, dropped: number): number {
  const rest = bits & ((1 << dropped) - 1)
  const half = 1 << (dropped - 1)
  return rest > half || (rest === half && (bits >>> dropped) & 1) ? 1 : 0
}
