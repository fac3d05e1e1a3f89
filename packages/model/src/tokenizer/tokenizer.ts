import { schemaProblem } from '@qoq-med/errors'
import { Tokenizer as TextTokenizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import { parseObject } from '../checkpoint/json-keys.ts'
import { modelErrors } from '../errors.ts'
import { charToByte } from './byte-alphabet.ts'
import { addedTokenSplitter, type AddedToken } from './added-tokens.ts'

/** Options of `Tokenizer.encode`. */
export interface EncodeOptions {
  /**
   * Whether `<|im_start|>` and the like inside the text become single ids. Default false: text from outside never yields
   * a special token.
   */
  readonly parseSpecial?: boolean
}

/** A byte-level BPE tokenizer, read from a Hugging Face tokenizer.json. */
export interface Tokenizer {
  /** Ids run from 0 to vocabSize − 1, added tokens included; a model's embedding may have more rows. */
  readonly vocabSize: number
  readonly addedTokens: readonly AddedToken[]
  /** The tokenizer.json as it was read, to be written back unchanged. */
  readonly json: string
  encode(text: string, options?: EncodeOptions): number[]
  /** Cuts a text at the added tokens, without encoding the rest. */
  split(text: string): readonly (string | AddedToken)[]
  /** Bytes that are not valid UTF-8 become U+FFFD. */
  decode(tokenIds: ArrayLike<number>, options?: { readonly skipSpecial?: boolean }): string
  /** The bytes that one token stands for; special tokens give their text. None for the unused ids of a model's embedding. */
  bytes(tokenId: number): Uint8Array
  /** The id of a token by its text (for ordinary tokens: as the vocabulary writes it), or undefined. */
  idOf(token: string): number | undefined
  isSpecial(tokenId: number): boolean
}

const nothing = new Uint8Array()

const TokenizerJson = z.looseObject({
  added_tokens: z
    .array(
      z.looseObject({
        id: z.int().nonnegative(),
        content: z.string().min(1),
        special: z.boolean().default(false),
        lstrip: z.boolean().default(false),
        rstrip: z.boolean().default(false),
      }),
    )
    .default([]),
  model: z.looseObject({
    type: z.literal('BPE'),
    vocab: z.record(z.string(), z.int().nonnegative()),
    merges: z.array(z.union([z.string(), z.array(z.string()).length(2)])),
  }),
})

/**
 * Makes a tokenizer from the text of a tokenizer.json.
 *
 * @param file its name, for messages
 * @throws MODEL_TOKENIZER_INVALID
 */
export function createTokenizer(json: string, file = 'tokenizer.json'): Tokenizer {
  const { parsed, textTokenizer } = parseTokenizer(json, file)
  const addedTokens = parsed.added_tokens
  const split = addedTokenSplitter(addedTokens)
  const addedIds = new Map(addedTokens.map(token => [token.content, token.id]))
  const special = new Set(addedTokens.filter(token => token.special).map(token => token.id))
  const tokenBytes = bytesById(parsed.model.vocab, addedTokens, file)
  const bytes = (tokenId: number): Uint8Array => tokenBytes[tokenId] ?? nothing
  const encodeText = (text: string): number[] =>
    text === '' ? [] : textTokenizer.encode(text, { add_special_tokens: false }).ids
  return {
    vocabSize: tokenBytes.length,
    addedTokens,
    json,
    encode: (text, { parseSpecial = false } = {}) =>
      parseSpecial
        ? split(text).flatMap(part => (typeof part === 'string' ? encodeText(part) : [part.id]))
        : encodeText(text),
    split,
    decode: (tokenIds, { skipSpecial = false } = {}) => {
      const kept = Array.from(tokenIds).filter(id => !(skipSpecial && special.has(id)))
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(kept.map(bytes)))
    },
    bytes,
    idOf: token =>
      addedIds.get(token) ?? (Object.hasOwn(parsed.model.vocab, token) ? parsed.model.vocab[token] : undefined),
    isSpecial: tokenId => special.has(tokenId),
  }
}

/** Letters, digits, marks, blanks and an accent: something for every step of a tokenizer. */
const trialText = 'Dr. Müller: 120/80 mmHg,\n  ok?'

function parseTokenizer(
  json: string,
  file: string,
): { parsed: z.output<typeof TokenizerJson>; textTokenizer: TextTokenizer } {
  const raw = parseObject(json, problem => modelErrors.TOKENIZER_INVALID({ file, problem: `it ${problem}` }))
  try {
    const parsed = TokenizerJson.parse(raw)
    // Without added tokens: they are split off before, and only where the caller says that the text may hold them.
    const textTokenizer = new TextTokenizer({ ...raw, added_tokens: [] }, { clean_up_tokenization_spaces: false })
    // A damaged pre-tokenizer or normalizer shows at its first text, not before.
    textTokenizer.encode(trialText, { add_special_tokens: false })
    return { parsed, textTokenizer }
  } catch (cause) {
    const problem = cause instanceof z.ZodError ? firstIssue(cause) : 'it is not valid JSON of the tokenizers library'
    throw modelErrors.TOKENIZER_INVALID({ file, problem }, { cause })
  }
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0]! // an error has at least one
  return `${issue.path.join('.')} ${schemaProblem(issue)}`
}

function bytesById(
  vocab: Readonly<Record<string, number>>,
  addedTokens: readonly AddedToken[],
  file: string,
): (Uint8Array | undefined)[] {
  const size = Object.keys(vocab).length + addedTokens.length
  const table: (Uint8Array | undefined)[] = []
  const put = (id: number, bytes: Uint8Array): void => {
    // Ids may have gaps, but an id far beyond the number of tokens would make a huge table.
    if (id > 2 * size + 65_536) throw modelErrors.TOKENIZER_INVALID({ file, problem: `it gives a token the id ${id}` })
    table[id] = bytes
  }
  for (const [token, id] of Object.entries(vocab)) put(id, bytesOf(token))
  for (const { content, id } of addedTokens) put(id, new TextEncoder().encode(content))
  return table
}

/** Characters outside the byte alphabet stand for themselves (a vocabulary may hold such tokens). */
function bytesOf(token: string): Uint8Array {
  const bytes: number[] = []
  for (const char of token) {
    const byte = charToByte.get(char)
    if (byte === undefined) bytes.push(...new TextEncoder().encode(char))
    else bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}
