import { Tokenizer as TextTokenizer } from '@huggingface/tokenizers'
import { modelErrors } from '../errors.ts'
import { byteToChar } from './byte-alphabet.ts'
import { addedTokenTable, qwenTokenizerJson } from './qwen-tokenizer-json.ts'
import { createTokenizer, type Tokenizer } from './tokenizer.ts'

/** Options of `trainTokenizer`. */
export interface TrainTokenizerOptions {
  /** Tokens in all: 256 bytes, merges and the added tokens. Fewer come out where the corpus has too few pairs. */
  readonly vocabSize: number
  /** Pairs seen less often are not merged. Default 2. */
  readonly minFrequency?: number
}

/**
 * Trains a byte-level BPE tokenizer (Sennrich et al. 2016; the bytes of GPT-2, the word pattern and special tokens of
 * Qwen2.5). The most frequent pair merges first; of equally frequent ones the pair with the smaller ids. The same corpus
 * in any order of its texts gives the same tokenizer.
 *
 * @throws MODEL_TOKENIZER_TRAINING
 */
export function trainTokenizer(corpus: Iterable<string>, options: TrainTokenizerOptions): Tokenizer {
  const { vocabSize, minFrequency = 2 } = options
  const limit = vocabSize - addedTokenTable.length
  if (!Number.isInteger(limit) || limit < byteToChar.length) {
    const least = byteToChar.length + addedTokenTable.length
    throw modelErrors.TOKENIZER_TRAINING({ problem: `vocabSize is ${vocabSize}, the least is ${least}` })
  }
  const alphabet = byteToChar.toSorted((a, b) => (a < b ? -1 : 1))
  const words = countedWords(corpus, new Map(alphabet.map((char, id) => [char, id])))
  if (words.length === 0) throw modelErrors.TOKENIZER_TRAINING({ problem: 'the corpus holds no text' })
  const tokens = [...alphabet]
  const merged = mergePairs(words, tokens, limit, minFrequency)
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  return createTokenizer(JSON.stringify(qwenTokenizerJson(vocab, merged), null, 1))
}

/** A distinct word of the corpus as token ids, and how often it occurs. */
interface Word {
  ids: number[]
  readonly frequency: number
}

function countedWords(corpus: Iterable<string>, idOfChar: ReadonlyMap<string, number>): Word[] {
  const splitter = new TextTokenizer(qwenTokenizerJson({ a: 0 }, []), {})
  const frequencies = new Map<string, number>()
  for (const text of corpus) {
    for (const word of splitter.pre_tokenizer!(splitter.normalizer!(text))) {
      // both are part of the Qwen layout
      frequencies.set(word, (frequencies.get(word) ?? 0) + 1)
    }
  }
  const sorted = Array.from(frequencies).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([word, frequency]) => ({ ids: Array.from(word, char => idOfChar.get(char)!), frequency }))
}

/** Pairs of adjacent ids are keyed by one number. */
const pairBase = 2 ** 24

function mergePairs(words: readonly Word[], tokens: string[], limit: number, minFrequency: number): [string, string][] {
  const counts = new Map<number, number>()
  const holders = new Map<number, Set<Word>>()
  for (const word of words) countPairs(word, 1, counts, holders)
  const idOf = new Map(tokens.map((token, id) => [token, id]))
  const merged: [string, string][] = []
  while (tokens.length < limit) {
    const pair = mostFrequent(counts, minFrequency)
    if (pair === undefined) break
    const [left, right] = [Math.floor(pair / pairBase), pair % pairBase]
    merged.push([tokens[left]!, tokens[right]!])
    // Two ways of merging can give the same token: then it keeps its id.
    const token = tokens[left]! + tokens[right]!
    const id = idOf.get(token) ?? tokens.push(token) - 1
    idOf.set(token, id)
    for (const word of holders.get(pair)!) {
      countPairs(word, -1, counts, holders)
      word.ids = mergedIds(word.ids, left, right, id)
      countPairs(word, 1, counts, holders)
    }
  }
  return merged
}

function countPairs(word: Word, sign: 1 | -1, counts: Map<number, number>, holders: Map<number, Set<Word>>): void {
  for (let i = 0; i + 1 < word.ids.length; i++) {
    const pair = word.ids[i]! * pairBase + word.ids[i + 1]!
    const count = (counts.get(pair) ?? 0) + sign * word.frequency
    if (count === 0) counts.delete(pair)
    else counts.set(pair, count)
    if (sign > 0) holders.set(pair, (holders.get(pair) ?? new Set()).add(word))
  }
}

function mostFrequent(counts: ReadonlyMap<number, number>, minFrequency: number): number | undefined {
  let best: number | undefined
  let bestCount = minFrequency - 1
  for (const [pair, count] of counts) {
    if (count > bestCount || (count === bestCount && best !== undefined && pair < best))
      [best, bestCount] = [pair, count]
  }
  return best
}

function mergedIds(ids: readonly number[], left: number, right: number, merged: number): number[] {
  const result: number[] = []
  for (let i = 0; i < ids.length; i++) {
    const matches = ids[i] === left && ids[i + 1] === right
    result.push(matches ? merged : ids[i]!)
    if (matches) i++
  }
  return result
}
