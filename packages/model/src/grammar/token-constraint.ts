import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { modelErrors } from '../errors.ts'
import { byteAutomaton } from './byte-automaton.ts'
import type { Grammar } from './grammar.ts'

/** Which tokens an answer may go on with. States are numbers; 0 is the beginning. */
export interface TokenConstraint {
  /** Tokens that an answer needs at most to be complete, the end token included, when it hurries. */
  readonly leastTokens: number
  /**
   * Marks the allowed tokens [vocabSize] with 1: those after which the answer can still be completed.
   *
   * @param tokensLeft tokens that may follow this one
   */
  allowed(state: number, tokensLeft: number): Uint8Array
  /** The state after an allowed token. */
  advance(state: number, tokenId: number): number
}

/**
 * Binds a grammar to a tokenizer: a token is allowed when its bytes go on in the automaton; end tokens are allowed where an
 * answer is complete, other special tokens never.
 *
 * @param vocabSize rows of the model's embedding; ids without text are never allowed
 * @throws MODEL_OPTION_INVALID when no text fits the grammar, or the vocabulary lacks a byte that it needs
 */
export function tokenConstraint(
  grammar: Grammar,
  tokenizer: Tokenizer,
  endTokenIds: ReadonlySet<number>,
  vocabSize: number,
): TokenConstraint {
  const automaton = byteAutomaton(grammar)
  const texts = Array.from({ length: vocabSize }, (_, id) =>
    tokenizer.isSpecial(id) ? undefined : tokenizer.bytes(id),
  )
  const masks = new Map<number, Uint8Array>()
  const after = (state: number, bytes: Uint8Array): number => {
    let at = state
    for (let i = 0; i < bytes.length && at >= 0; i++) at = automaton.next(at, bytes[i]!)
    return at
  }
  const marked = (state: number, tokensLeft: number): Uint8Array => {
    const mask = new Uint8Array(vocabSize)
    for (const [id, bytes] of texts.entries()) {
      if (bytes === undefined || bytes.length === 0) continue
      const next = after(state, bytes)
      // A byte may need a token of its own; one more ends the answer.
      if (next >= 0 && automaton.distance(next) + 1 <= tokensLeft) mask[id] = 1
    }
    if (automaton.isAccepting(state)) for (const id of endTokenIds) mask[id] = 1
    if (!mask.includes(1)) throw impossible('that this vocabulary cannot write')
    return mask
  }
  if (automaton.distance(0) === Infinity) throw impossible('that no text fits')
  return {
    leastTokens: automaton.distance(0) + 1,
    allowed(state, tokensLeft) {
      if (tokensLeft <= automaton.longestDistance) return marked(state, tokensLeft)
      const known = masks.get(state) ?? marked(state, Infinity)
      masks.set(state, known)
      return known
    },
    advance: (state, tokenId) => after(state, texts[tokenId] ?? new Uint8Array()),
  }
}

function impossible(value: string): Error {
  return modelErrors.OPTION_INVALID({
    option: 'grammar',
    value: `one ${value}`,
    allowed: 'grammars that some answer fits',
  })
}
