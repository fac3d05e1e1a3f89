/** How two texts' words overlap. */
export interface TokenOverlap {
  /** |a ∩ b| / |a ∪ b| of the sets of words; two empty texts agree. */
  readonly jaccard: number
  /** Harmonic mean of precision and recall of words, counted as often as they occur (SQuAD's token F1). */
  readonly f1: number
}

/** How words are read. */
export interface TokenOptions {
  /** Drop punctuation from words; as released, "finding." and "finding" differ. */
  readonly stripPunctuation?: boolean
}

/**
 * Compares an open answer with the true one by their lower-cased words between white space, as the successor's public
 * reward does (FairGRPO).
 */
export function tokenOverlap(predicted: string, truth: string, options: TokenOptions = {}): TokenOverlap {
  const [a, b] = [wordsOf(predicted, options), wordsOf(truth, options)]
  const [first, second] = [new Set(a), new Set(b)]
  const shared = [...first].filter(word => second.has(word)).length
  const union = first.size + second.size - shared
  return { jaccard: union === 0 ? 1 : shared / union, f1: countedF1(a, b) }
}

function wordsOf(text: string, { stripPunctuation = false }: TokenOptions): string[] {
  const kept = stripPunctuation ? text.replace(/[\p{P}\p{S}]/gu, '') : text
  return kept
    .toLowerCase()
    .split(/\s+/u)
    .filter(word => word !== '')
}

function countedF1(predicted: readonly string[], truth: readonly string[]): number {
  if (predicted.length === 0 && truth.length === 0) return 1
  const left = new Map<string, number>()
  for (const word of truth) left.set(word, (left.get(word) ?? 0) + 1)
  let shared = 0
  for (const word of predicted) {
    const count = left.get(word) ?? 0
    if (count === 0) continue
    left.set(word, count - 1)
    shared++
  }
  return (2 * shared) / (predicted.length + truth.length)
}
