/** Reads one IEEE 754 half-precision number from its 16 bits. Exact. */
export function float16ToFloat32(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const scratch = new Float32Array(1)
const scratchBits = new Uint32Array(scratch.buffer)

/** Rounds a number to half precision, ties to even; beyond 65,504 it becomes infinite. Answers the 16 bits. */
export function float32ToFloat16(value: number): number {
  scratch[0] = value
  const bits = scratchBits[0]!
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x47800000) return sign | 0x7c00
  if (magnitude < 0x38800000) return sign | roundToEven(Math.abs(value) * 2 ** 24)
  // A carry out of the fraction raises the exponent, up to infinity: what rounding asks for.
  return sign | (((magnitude - 0x38000000) >>> 13) + roundUp(magnitude, 13))
}

/** Widens half-precision numbers: `source` holds their 16 bits, `target` receives as many float32 numbers. Exact. */
export function widenFloat16(source: Uint16Array, target: Float32Array): void {
  for (let i = 0; i < source.length; i++) target[i] = float16ToFloat32(source[i]!)
}

/** Rounds numbers to half precision: the 16 bits of each, on shared memory. */
export function narrowFloat16(source: Float32Array): Uint16Array<SharedArrayBuffer> {
  const target = new Uint16Array(new SharedArrayBuffer(2 * source.length))
  for (let i = 0; i < source.length; i++) target[i] = float32ToFloat16(source[i]!)
  return target
}

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

function roundToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}
