/**
 * The largest relative error of `got` against an oracle; values below `floor` are compared on its scale. Infinity for
 * different lengths and for NaN.
 */
export function largestError(got: ArrayLike<number>, want: ArrayLike<number>, floor = 1e-3): number {
  if (got.length !== want.length) return Infinity
  let largest = 0
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i]! - want[i]!) / Math.max(Math.abs(want[i]!), floor)
    largest = Number.isNaN(error) ? Infinity : Math.max(largest, error)
  }
  return largest
}
