/** How eq. 5 is read; the first of each is the equation as printed. */
export interface DampingOptions {
  /** p of the quantile t_p. */
  readonly quantile: number
  /** `positive`: m falls with max(s'·k, 0); `both`: with |s'|·k. */
  readonly sign: 'positive' | 'both'
  /** Which values the quantile is taken over. */
  readonly quantileOver: 'all' | 'nonzero' | 'positive'
  /** `response`: a factor per response; `group`: one per question, from its largest |s'|·k. */
  readonly scope: 'response' | 'group'
  /** A quantile at or below it damps nothing. */
  readonly epsilon: number
}

/** Eqs. 4 and 5 for a batch. B responses. */
export interface KlDamping {
  /** [B] the values that m falls with: s'·k, |s'|·k, or the largest |s'|·k of the question. */
  readonly weighted: Float64Array
  /** t_p; undefined where there was no value to take it over. */
  readonly threshold: number | undefined
  /** [B] m in (0, 1]. */
  readonly factors: Float64Array
  /** False where t_p ≤ ε, and hence m = 1 for all. */
  readonly isActive: boolean
}

/**
 * Damps responses of high advantage and high divergence (eqs. 4 and 5):
 *
 *     m[i] = t_p / (t_p + max(s'[i] · k[i], 0)),   t_p the p-quantile of {s'[i] · k[i]}
 *
 * If t_p ≤ ε, m = 1 for all: a batch of mostly constant groups has t_p = 0, and a clamp would erase every positive
 * advantage (docs/paper-map.md#drpo).
 *
 * @param scaled [B] s' of eq. 3 without m
 * @param kl [B] k of the response's question (or of the response)
 * @param questionOf [B] index of the response's question
 */
export function klDamping(
  scaled: Float64Array,
  kl: Float64Array,
  questionOf: Int32Array,
  options: DampingOptions,
): KlDamping {
  const weighted = weigh(scaled, kl, questionOf, options)
  const threshold = quantile(thresholdValues(weighted, questionOf, options), options.quantile)
  const isActive = threshold !== undefined && threshold > options.epsilon
  const factors = new Float64Array(weighted.length).fill(1)
  if (isActive)
    for (let response = 0; response < factors.length; response++)
      factors[response] = threshold / (threshold + Math.max(weighted[response]!, 0))
  return { weighted, threshold, factors, isActive }
}

/** Bound of s'·k, so that sums of two stay finite whatever the KL. */
const LARGEST = 1e300

function weigh(scaled: Float64Array, kl: Float64Array, questionOf: Int32Array, options: DampingOptions): Float64Array {
  const isSymmetric = options.sign === 'both' || options.scope === 'group'
  const weighted = new Float64Array(scaled.length)
  for (let response = 0; response < scaled.length; response++) {
    const size = isSymmetric ? Math.abs(scaled[response]!) : scaled[response]!
    weighted[response] = bounded(size * bounded(kl[response]!))
  }
  return options.scope === 'response' ? weighted : largestOfQuestion(weighted, questionOf)
}

function largestOfQuestion(weighted: Float64Array, questionOf: Int32Array): Float64Array {
  const largest = new Map<number, number>()
  questionOf.forEach((question, response) => {
    largest.set(question, Math.max(largest.get(question) ?? -Infinity, weighted[response]!))
  })
  return weighted.map((_, response) => largest.get(questionOf[response]!)!)
}

function bounded(value: number): number {
  return Math.min(Math.max(value, -LARGEST), LARGEST)
}

function thresholdValues(weighted: Float64Array, questionOf: Int32Array, options: DampingOptions): Float64Array {
  const values = options.scope === 'response' ? weighted : onePerQuestion(weighted, questionOf)
  if (options.quantileOver === 'all') return values
  return values.filter(value => (options.quantileOver === 'nonzero' ? value !== 0 : value > 0))
}

function onePerQuestion(weighted: Float64Array, questionOf: Int32Array): Float64Array {
  const seen = new Set<number>()
  return weighted.filter((_, response) => {
    const question = questionOf[response]!
    const isFirst = !seen.has(question)
    seen.add(question)
    return isFirst
  })
}

/**
 * The p-quantile with linear interpolation between order statistics, as numpy's and torch's default.
 *
 * @returns undefined for no values
 */
export function quantile(values: Float64Array, p: number): number | undefined {
  if (values.length === 0) return undefined
  const sorted = values.toSorted()
  const position = p * (sorted.length - 1)
  const below = Math.floor(position)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (high - low) * (position - below)
}
