import { modelErrors } from '../errors.ts'
import { requireOption } from './require-option.ts'
import { selectTop } from './top-weights.ts'

/** How the next token is chosen. The order is that of transformers: penalty, temperature, top-k, top-p, min-p. */
export interface SamplingOptions {
  /** Divides the logits. 0 always takes the most probable token. Default 1. */
  readonly temperature?: number
  /** Only the k most probable tokens can be drawn; 0 is no limit. Default 0. */
  readonly topK?: number
  /** Only the most probable tokens that together reach this probability can be drawn. Default 1. */
  readonly topP?: number
  /** Only tokens with at least this share of the largest probability can be drawn. Default 0. */
  readonly minP?: number
  /** Divides (positive) or multiplies (negative) the logits of tokens that occurred before. Default 1. */
  readonly repetitionPenalty?: number
}

/** A drawn token. */
export interface SampledToken {
  readonly tokenId: number
  /** log softmax(logits / temperature) at the token, before penalty and limits; temperature 0 counts as 1. */
  readonly logprob: number
}

/** @throws MODEL_OPTION_INVALID when an option is out of its range */
export function checkSamplingOptions(options: SamplingOptions): void {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = options
  requireOption(temperature >= 0 && temperature < Infinity, 'temperature', temperature, 'numbers from 0')
  requireOption(Number.isInteger(topK) && topK >= 0, 'topK', topK, 'whole numbers from 0')
  requireOption(topP > 0 && topP <= 1, 'topP', topP, 'numbers above 0 and up to 1')
  requireOption(minP >= 0 && minP <= 1, 'minP', minP, 'numbers from 0 to 1')
  requireOption(
    repetitionPenalty > 0 && repetitionPenalty < Infinity,
    'repetitionPenalty',
    repetitionPenalty,
    'positive numbers',
  )
}

/**
 * Draws a token.
 *
 * @param logits [V]
 * @param seen ids that occurred before (for the repetition penalty)
 * @param uniform in [0, 1), the randomness of this draw
 * @param allowed [V] 1 where a token may be drawn (a grammar). Default: all
 * @throws MODEL_LOGITS_NOT_FINITE when a logit is not a number or infinite
 */
export function sampleToken(
  logits: Float32Array,
  seen: Iterable<number>,
  options: SamplingOptions,
  uniform: number,
  allowed?: Uint8Array,
): SampledToken {
  const { temperature = 1 } = options
  const scores = scoresOf(logits, seen, options, allowed)
  const draw = temperature === 0 ? undefined : samplingWeights(scores, options)
  const tokenId = draw === undefined ? argmax(scores) : drawn(draw.weights, uniform)
  const isPlain = draw !== undefined && scores === logits
  const logprob = isPlain
    ? (logits[tokenId]! - draw.largest) / temperature - Math.log(draw.total)
    : tokenLogprob(logits, tokenId, temperature)
  // Without this check a diverged model would go on with its last token, and nobody would know.
  if (Number.isNaN(logprob)) throw modelErrors.LOGITS_NOT_FINITE({ vocabSize: logits.length })
  return { tokenId, logprob }
}

/** Whether `drawToken` or `bestToken` does for these options, so that the runtime can do the arithmetic. */
export function isUnlimited({ topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 }: SamplingOptions): boolean {
  return topK === 0 && topP === 1 && minP === 0 && repetitionPenalty === 1
}

/**
 * Draws from a whole distribution, as `sampleToken` does without limits.
 *
 * @param probabilities [V] softmax of the logits divided by the temperature
 * @throws MODEL_LOGITS_NOT_FINITE when they are not numbers
 */
export function drawToken(probabilities: Float32Array, uniform: number): SampledToken {
  let left = uniform
  let tokenId = 0
  for (let i = 0; i < probabilities.length; i++) {
    const probability = probabilities[i]!
    if (probability === 0) continue
    tokenId = i
    left -= probability
    if (left < 0) break
  }
  return finiteToken(tokenId, Math.log(probabilities[tokenId]!), probabilities.length)
}

/**
 * Takes the most probable token.
 *
 * @param logits [V]
 * @param peak its probability under softmax(logits)
 * @throws MODEL_LOGITS_NOT_FINITE when the logits are not finite
 */
export function bestToken(logits: Float32Array, peak: number): SampledToken {
  return finiteToken(argmax(logits), Math.log(peak), logits.length)
}

/** Without this check a diverged model would go on with some token, and nobody would know. */
function finiteToken(tokenId: number, logprob: number, vocabSize: number): SampledToken {
  if (!Number.isFinite(logprob)) throw modelErrors.LOGITS_NOT_FINITE({ vocabSize })
  return { tokenId, logprob }
}

/** The probabilities [V] that `sampleToken` draws from; zero where a token cannot be drawn. */
export function samplingProbabilities(
  logits: Float32Array,
  seen: Iterable<number>,
  options: SamplingOptions,
): Float64Array {
  const scores = scoresOf(logits, seen, options)
  if (options.temperature === 0) {
    const probabilities = new Float64Array(logits.length)
    probabilities[argmax(scores)] = 1
    return probabilities
  }
  const { weights } = samplingWeights(scores, options)
  const sum = total(weights)
  return weights.map(weight => weight / sum)
}

/** log softmax(logits / temperature) at one token; temperature 0 counts as 1. */
function tokenLogprob(logits: Float32Array, tokenId: number, temperature: number): number {
  const divisor = temperature === 0 ? 1 : temperature
  const largest = maximum(logits)
  let sum = 0
  for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i]! - largest) / divisor)
  return (logits[tokenId]! - largest) / divisor - Math.log(sum)
}

/** The `count` most probable tokens with their log-probabilities as `tokenLogprob` defines them, best first. */
export function topLogprobs(logits: Float32Array, count: number, temperature: number): SampledToken[] {
  const order = range(logits.length)
  const kept = Array.from(
    order.subarray(
      0,
      selectTop(order, logits, () => 1, count),
    ),
  )
  kept.sort((a, b) => logits[b]! - logits[a]! || a - b)
  return kept.map(tokenId => ({ tokenId, logprob: tokenLogprob(logits, tokenId, temperature) }))
}

/** Unnormalised probabilities of the drawable tokens; the same array for every call, to spare the garbage collector. */
let scratch: Float64Array = new Float64Array(0)

/** What is drawn from; valid until the next call. */
interface Draw {
  /** exp((score − largest) / temperature) [V] where a token can be drawn, else 0. */
  readonly weights: Float64Array
  readonly largest: number
  /** Sum of the weights before any limit. */
  readonly total: number
}

function samplingWeights(scores: Float32Array, options: SamplingOptions): Draw {
  const { temperature = 1, topK = 0, topP = 1, minP = 0 } = options
  if (scratch.length !== scores.length) scratch = new Float64Array(scores.length)
  const weights = scratch
  const largest = maximum(scores)
  let all = 0
  for (let i = 0; i < weights.length; i++) all += weights[i] = Math.exp((scores[i]! - largest) / temperature)
  if (topK > 0 && topK < weights.length) keepTop(weights, scores, () => 1, topK)
  if (topP < 1) keepTop(weights, scores, index => weights[index]!, topP * total(weights))
  if (minP > 0) {
    // The largest weight is 1, so minP is a bound on the weights themselves.
    for (let i = 0; i < weights.length; i++) if (weights[i]! < minP) weights[i] = 0
  }
  return { weights, largest, total: all }
}

function keepTop(weights: Float64Array, scores: Float32Array, weight: (index: number) => number, limit: number): void {
  const order = range(weights.length)
  const kept = selectTop(order, scores, weight, limit)
  for (let i = kept; i < order.length; i++) weights[order[i]!] = 0
}

function drawn(weights: Float64Array, uniform: number): number {
  let left = uniform * total(weights)
  let last = 0
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue
    last = i
    left -= weights[i]!
    if (left < 0) return i
  }
  return last
}

/** The logits after the penalty, −Infinity where a token is not allowed. */
function scoresOf(
  logits: Float32Array,
  seen: Iterable<number>,
  { repetitionPenalty: penalty = 1 }: SamplingOptions,
  allowed?: Uint8Array,
): Float32Array {
  if (penalty === 1 && allowed === undefined) return logits
  const scores = logits.slice()
  if (penalty !== 1) {
    for (const id of new Set(seen)) scores[id] = scores[id]! > 0 ? scores[id]! / penalty : scores[id]! * penalty
  }
  if (allowed !== undefined) for (let i = 0; i < scores.length; i++) if (allowed[i] !== 1) scores[i] = -Infinity
  return scores
}

function argmax(values: Float32Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}

function maximum(values: Float32Array): number {
  let largest = -Infinity
  for (let i = 0; i < values.length; i++) if (values[i]! > largest) largest = values[i]!
  return largest
}

function total(values: Float64Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum
}

function range(length: number): Int32Array {
  const indices = new Int32Array(length)
  for (let i = 0; i < length; i++) indices[i] = i
  return indices
}
