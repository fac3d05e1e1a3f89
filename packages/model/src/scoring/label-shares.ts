/** A completion's tokens with their log-probabilities. */
export interface ScoredCompletion {
  readonly tokenIds: ArrayLike<number>
  /** As many. */
  readonly logprobs: ArrayLike<number>
}

/**
 * How likely each of several completions is beside the others: the mean log-probability of the tokens in which they differ,
 * as a softmax over all of them.
 *
 * @param completions such as a box with each label of a list
 * @returns as many, summing to 1
 */
export function labelShares(completions: readonly ScoredCompletion[]): number[] {
  const shared = commonLength(completions.map(({ tokenIds }) => tokenIds))
  const scores = completions.map(({ logprobs }) => meanFrom(logprobs, Math.min(shared, logprobs.length - 1)))
  const highest = Math.max(...scores)
  const weights = scores.map(score => Math.exp(score - highest))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map(weight => weight / total)
}

/** Tokens that all sequences begin with. */
function commonLength([first = [], ...others]: readonly ArrayLike<number>[]): number {
  let end = 0
  while (end < first.length && others.every(other => other[end] === first[end])) end++
  return end
}

function meanFrom(values: ArrayLike<number>, start: number): number {
  let sum = 0
  for (let i = start; i < values.length; i++) sum += values[i]!
  return sum / (values.length - start)
}
