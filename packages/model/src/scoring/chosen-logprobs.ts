/**
 * Log-probabilities of chosen tokens, in float64.
 *
 * @param logits [n, V]
 * @param chosen [n]
 * @param temperature divides the logits
 * @returns [n]
 */
export function chosenLogprobs(logits: Float32Array, chosen: Int32Array, temperature: number): Float32Array {
  const vocabSize = chosen.length === 0 ? 0 : logits.length / chosen.length
  return Float32Array.from(chosen, (token, row) => {
    const start = row * vocabSize
    let top = -Infinity
    for (let i = start; i < start + vocabSize; i++) top = Math.max(top, logits[i]!)
    let total = 0
    for (let i = start; i < start + vocabSize; i++) total += Math.exp((logits[i]! - top) / temperature)
    return (logits[start + token]! - top) / temperature - Math.log(total)
  })
}
