import { separator, trimLabel, unwrapLatex, type LabelVocabulary } from './label-vocabulary.ts'

/**
 * Splits a boxed answer into labels: on comma, semicolon, "&", newline and the word "and", but never inside a name the
 * vocabulary contains (the longest name wins). Labels the vocabulary knows come back in its spelling, others as they
 * were written; repetitions and blanks are dropped, and so is the answer "None" where no label is called so.
 */
export function answerLabels(answer: string, vocabulary: LabelVocabulary): readonly string[] {
  const text = unwrapLatex(answer)
  const pieces = piecesOf(text)
  const labels = new Map<string, string>()
  for (let piece = 0; piece < pieces.length;) {
    const { from, to } = pieces[piece]!
    const known = longestName(text, pieces, piece, vocabulary)
    const written = known?.label ?? trimLabel(text.slice(from, to), vocabulary.marks)
    const key = vocabulary.keyOf(written)
    if (key !== '' && !labels.has(key)) labels.set(key, written)
    piece = known?.next ?? piece + 1
  }
  return labels.size === 1 && labels.has('none') && vocabulary.find('none') === undefined ? [] : [...labels.values()]
}

/** A stretch of the answer between two separators. */
interface Piece {
  readonly from: number
  readonly to: number
}

/** The pieces of a text between separators; blank ones are left out. */
function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = []
  let from = 0
  const add = (to: number): void => {
    if (to > from && text.slice(from, to).trim() !== '') pieces.push({ from, to })
  }
  for (const { index, 0: found } of text.matchAll(separator)) {
    add(index)
    from = index + found.length
  }
  add(text.length)
  return pieces
}

function longestName(
  text: string,
  pieces: readonly Piece[],
  piece: number,
  vocabulary: LabelVocabulary,
): { label: string; next: number } | undefined {
  const from = pieces[piece]?.from ?? 0
  for (let next = Math.min(pieces.length, piece + 1 + vocabulary.maxSeparators); next > piece; next--) {
    const written = text.slice(from, pieces[next - 1]?.to)
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
