/** Writes a value as JSON: typed arrays as arrays, numbers that are not finite as null. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (isNumberArray(part) ? Array.from(part) : part))
}

function isNumberArray(value: unknown): value is Float64Array | Float32Array | Int32Array | Uint8Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView) && !(value instanceof BigInt64Array)
}
