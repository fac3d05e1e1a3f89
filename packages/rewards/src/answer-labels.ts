import { separator, trimLabel, unwrapLatex, type LabelVocabulary } from './label-vocabulary.ts'

/**
 * Splits a boxed answer into labels: on comma, semicolon, "&", newline and the word "and", but never inside a name the
 * vocabulary contains (the longest name wins). Labels the vocabulary knows come back in its spelling, others as they
 * were written; repetitions and blanks are dropped, and so is the answer "None" where no label is called so.
 */
export function answerLabels(answer: string, vocabulary: LabelVocabulary): readonly string[] {
  const text = unwrapLatex(answer)
  const cuts = cutsOf(text)
  const labels = new Map<string, string>()
  for (let piece = 0; piece + 1 < cuts.length;) {
    const known = longestName(text, cuts, piece, vocabulary)
    const written = known?.label ?? trimLabel(text.slice(cuts[piece]?.end, cuts[piece + 1]?.start))
    const key = vocabulary.keyOf(written)
    if (key !== '' && !labels.has(key)) labels.set(key, written)
    piece = known?.next ?? piece + 1
  }
  return labels.size === 1 && labels.has('none') && vocabulary.find('none') === undefined ? [] : [...labels.values()]
}

/** A separator of the text; `start` of the text and its end count as empty separators. */
interface Cut {
  readonly start: number
  readonly end: number
}

function cutsOf(text: string): readonly Cut[] {
  const inner = Array.from(text.matchAll(separator), ({ index, 0: found }) => ({
    start: index,
    end: index + found.length,
  }))
  return [{ start: 0, end: 0 }, ...inner, { start: text.length, end: text.length }]
}

function longestName(
  text: string,
  cuts: readonly Cut[],
  piece: number,
  vocabulary: LabelVocabulary,
): { label: string; next: number } | undefined {
  const from = cuts[piece]?.end ?? 0
  const furthest = Math.min(cuts.length - 1, piece + 1 + vocabulary.maxSeparators)
  for (let next = furthest; next > piece; next--) {
    const written = text.slice(from, cuts[next]?.start)
    if (written.length > 2 * vocabulary.maxLength + 16) continue
    const label = vocabulary.find(written)
    if (label !== undefined) return { label, next }
  }
  return undefined
}

/** The set of keys by which two lists of labels are compared; blanks are dropped. */
export function labelKeys(labels: readonly string[], vocabulary: LabelVocabulary): ReadonlySet<string> {
  const keys = new Set(labels.map(label => vocabulary.keyOf(label)))
  keys.delete('')
  return keys
}
