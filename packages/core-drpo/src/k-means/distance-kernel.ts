/** Squared distance over the first five numbers of a row; the caller holds the point's in registers. */
export function firstFive(
  rows: Float64Array,
  at: number,
  x0: number,
  x1: number,
  x2: number,
  x3: number,
  x4: number,
): number {
  const d0 = x0 - rows[at]!
  const d1 = x1 - rows[at + 1]!
  const d2 = x2 - rows[at + 2]!
  const d3 = x3 - rows[at + 3]!
  const d4 = x4 - rows[at + 4]!
  return d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3 + d4 * d4
}

/** Squared distance between two rows over what follows their first five numbers; 0 for the usual groups of five. */
export function beyondFive(a: Float64Array, atA: number, b: Float64Array, atB: number, dimension: number): number {
  let squared = 0
  for (let axis = 5; axis < dimension; axis++) squared += (a[atA + axis]! - b[atB + axis]!) ** 2
  return squared
}
