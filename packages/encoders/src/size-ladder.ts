/**
 * Rounds a count up to 1, 2, 3, 4, 6, 8, 12, 16, … so that few graphs serve batches of many sizes; at most a third of the
 * result is padding.
 *
 * @param steps sizes from a power of two to the next: 2; 1 for the powers alone, with at most half padding; 4 for 4, 5, 6, 7,
 * 8, 10, 12, … with at most a fifth from 4 on
 */
export function sizeLadder(count: number, steps: 1 | 2 | 4 = 2): number {
  let power = 1
  while (power * 2 <= count) power *= 2
  const rung = Math.max(1, power / steps)
  return Math.ceil(count / rung) * rung
}

/**
 * How counts of a batch are padded: to the next of `sizeLadder`, for fewer graphs yet to a power of two, or not at all, where
 * computing takes longer than making a graph.
 */
export type BatchRounding = 'rounded' | 'doubled' | 'exact'

/** Pads a count. */
export function roundedCount(count: number, rounding: BatchRounding): number {
  return rounding === 'exact' ? count : sizeLadder(count, rounding === 'doubled' ? 1 : 2)
}
