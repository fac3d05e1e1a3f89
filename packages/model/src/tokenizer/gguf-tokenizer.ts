import type { GgufValue } from '../checkpoint/gguf-header.ts'
import { modelErrors } from '../errors.ts'
import { wordPattern } from './qwen-tokenizer-json.ts'

/** Kinds of tokens in `tokenizer.ggml.token_type`. */
const controlToken = 3
const userDefinedToken = 4

const splitBytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false }
const split = (pattern: string): object => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
})
/** GPT-2's pattern. */
const gpt2Pattern = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
const llama3Pattern = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

/** How text is cut into words, by `tokenizer.ggml.pre`, and whether it is composed (NFC) before. */
const preTokenizers: Readonly<Record<string, { readonly steps: readonly object[]; readonly isComposed: boolean }>> = {
  qwen2: { steps: [split(wordPattern), splitBytes], isComposed: true },
  smollm: { steps: [{ type: 'Digits', individual_digits: true }, split(gpt2Pattern), splitBytes], isComposed: false },
  'gpt-2': { steps: [split(gpt2Pattern), splitBytes], isComposed: false },
  default: { steps: [split(gpt2Pattern), splitBytes], isComposed: false },
  'llama-bpe': { steps: [split(llama3Pattern), splitBytes], isComposed: false },
}

/**
 * Writes the tokenizer of a GGUF file as a tokenizer.json.
 *
 * @throws MODEL_TOKENIZER_INVALID when it is not byte-level BPE of a known kind
 */
export function ggufTokenizerJson({
  path,
  metadata,
}: {
  readonly path: string
  readonly metadata: ReadonlyMap<string, GgufValue>
}): string {
  const fail = (problem: string): Error => modelErrors.TOKENIZER_INVALID({ file: path, problem })
  const model = metadata.get('tokenizer.ggml.model')
  if (model !== 'gpt2') throw fail(`its kind is ${String(model)}, and gpt2 (byte-level BPE) is read`)
  const name = metadata.get('tokenizer.ggml.pre') ?? 'default'
  const pre = typeof name === 'string' && Object.hasOwn(preTokenizers, name) ? preTokenizers[name] : undefined
  if (pre === undefined)
    throw fail(`its pre-tokenizer is ${String(name)}; known are ${Object.keys(preTokenizers).join(', ')}`)
  const tokens = texts(metadata, 'tokenizer.ggml.tokens', fail)
  const kinds = metadata.get('tokenizer.ggml.token_type')
  const isKinds =
    kinds === undefined || (Array.isArray(kinds) && kinds.length === tokens.length && kinds.every(Number.isInteger))
  if (!isKinds) throw fail('its tokenizer.ggml.token_type is no list of a number for each token')
  const kindOf = (id: number): unknown => (Array.isArray(kinds) ? kinds[id] : undefined)
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false }
  const added = tokens.flatMap((content, id) =>
    kindOf(id) === controlToken || kindOf(id) === userDefinedToken
      ? [{ id, content, ...flags, special: kindOf(id) === controlToken }]
      : [],
  )
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  const merges = texts(metadata, 'tokenizer.ggml.merges', fail).map(merge => pairOf(merge, fail))
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: pre.isComposed ? { type: 'NFC' } : null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: pre.steps },
    post_processor: null,
    decoder: { ...splitBytes, add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false, vocab, merges },
  })
}

function texts(
  metadata: ReadonlyMap<string, GgufValue>,
  key: string,
  fail: (problem: string) => Error,
): readonly string[] {
  const list = metadata.get(key)
  if (!Array.isArray(list) || !list.every(item => typeof item === 'string')) throw fail(`${key} is no list of texts`)
  return list
}

/** The two sides of a merge are separated by a space, which byte-level tokens never hold. */
function pairOf(merge: string, fail: (problem: string) => Error): [string, string] {
  const at = merge.indexOf(' ', 1)
  if (at < 0) throw fail(`the merge ${JSON.stringify(merge)} has one side`)
  return [merge.slice(0, at), merge.slice(at + 1)]
}
