import type { Tokenizer } from './tokenizer.ts'

/** Turns tokens into text as they arrive. */
export interface StreamDecoder {
  /** The text that this token completes: '' while a character's bytes are still incomplete, and for special tokens. */
  push(tokenId: number): string
  /** What is left at the end: U+FFFD for an incomplete character, else ''. */
  flush(): string
}

/** Decodes a growing sequence without decoding its beginning again; the pieces join to the text of the whole. */
export function createStreamDecoder(tokenizer: Tokenizer): StreamDecoder {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return {
    push: tokenId => (tokenizer.isSpecial(tokenId) ? '' : decoder.decode(tokenizer.bytes(tokenId), { stream: true })),
    flush: () => decoder.decode(),
  }
}
