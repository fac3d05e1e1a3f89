/**
 * Share of the standard normal distribution below `z`, by its Taylor series about 0 (Marsaglia, Evaluating the Normal
 * Distribution, 2004); errors are below 1e-15.
 */
export function normalCdf(z: number): number {
  if (Math.abs(z) > 8) return z < 0 ? 0 : 1
  let term = z
  let sum = z
  for (let k = 3; sum + term !== sum; k += 2) {
    term *= (z * z) / k
    sum += term
  }
  return 0.5 + sum * Math.exp(-0.5 * z * z - 0.5 * Math.log(2 * Math.PI))
}

/** The point below which a share in (0, 1) of the standard normal distribution lies, by halving, to 1e-12. */
export function normalQuantile(share: number): number {
  let [low, high] = [-8, 8]
  while (high - low > 1e-13) {
    const middle = (low + high) / 2
    if (normalCdf(middle) < share) low = middle
    else high = middle
    if (middle === (low + high) / 2) break
  }
  return (low + high) / 2
}
