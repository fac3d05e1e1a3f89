/**
 * Rounds a count up to 1, 2, 3, 4, 6, 8, 12, 16, … so that few graphs serve batches of many sizes; at most a third of the
 * result is padding.
 */
export function sizeLadder(count: number): number {
  let power = 1
  while (power * 2 <= count) power *= 2
  if (count <= power) return power
  return power > 1 && count <= power * 1.5 ? power * 1.5 : power * 2
}
