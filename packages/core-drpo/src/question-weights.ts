import type { DomainStage } from './domain-scaling.ts'
import { quantile } from './kl-damping.ts'

/**
 * Keeps the weights 1 / T of a domain's questions within a factor of their median.
 *
 * @param temperatures [Q] T_g T_c of each question, changed in place
 * @param questions indices of one domain's questions
 * @param clip the factor, above 1 to leave room; 0 changes nothing
 */
export function clipWeights(temperatures: Float64Array, questions: Int32Array, clip: number): void {
  if (clip === 0) return
  const weights = Float64Array.from(questions, question => 1 / temperatures[question]!)
  const median = quantile(weights, 0.5) ?? 1 // a domain has at least one question
  const [least, most] = [median / Math.max(1, clip), median * Math.max(1, clip)]
  questions.forEach((question, position) => {
    temperatures[question] = 1 / Math.min(Math.max(weights[position]!, least), most)
  })
}

/**
 * Root mean square of each domain's scaled values, over those that are not zero: questions of equal rewards say nothing.
 *
 * @param scaled [B]
 * @param domainOfResponse [B]
 * @returns [D]; 1 for a domain of zeros
 */
export function domainRootMeanSquares(
  scaled: Float64Array,
  domainOfResponse: (response: number) => number,
  domains: readonly DomainStage[],
): Float64Array {
  const largest = new Float64Array(domains.length) // squares of what is large or small would overflow or vanish
  for (let i = 0; i < scaled.length; i++) {
    const domain = domainOfResponse(i)
    largest[domain] = Math.max(largest[domain]!, Math.abs(scaled[i]!))
  }
  const [sums, counts] = [new Float64Array(domains.length), new Float64Array(domains.length)]
  for (let i = 0; i < scaled.length; i++) {
    if (scaled[i] === 0) continue
    const domain = domainOfResponse(i)
    sums[domain]! += (scaled[i]! / largest[domain]!) ** 2
    counts[domain]! += 1
  }
  return largest.map((unit, domain) => (unit === 0 ? 1 : unit * Math.sqrt(sums[domain]! / counts[domain]!)))
}
