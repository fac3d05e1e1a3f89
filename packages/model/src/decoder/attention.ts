import type { Ops } from '@qoq-med/tensor'
import type { DecoderConfig } from './decoder-config.ts'
import { laterTokensMask } from './later-tokens-mask.ts'

/** What attention answers. */
export interface Attended<T> {
  /** [N, numHeads * headDim] */
  readonly attended: T
  /** The rotated keys and the values that a cache keeps of B rows, [B, numKvHeads, T, headDim]. */
  readonly keys: T
  readonly values: T
}

/** Rotated queries [N, numHeads * headDim], rotated keys and values [N, numKvHeads * headDim] of a layer. */
export interface Heads<T> {
  readonly queries: T
  readonly keys: T
  readonly values: T
}

/** Lets the N tokens of a call attend; `layer` counts from 0. */
export type Attend<T> = (heads: Heads<T>, layer: number) => Attended<T>

/** What a decode step attends to. B, the number of sequences, and P, the cached tokens, may be open. */
export interface PastKeys<T> {
  /** Cached keys and values of a layer, [B, numKvHeads, P, headDim]. */
  readonly keys: (layer: number) => T
  readonly values: (layer: number) => T
  /** [B, 1, 1, P] hides empty places of the cache. */
  readonly mask: T
}

/** One new token of each of B sequences sees what is cached of it and itself. Answers its keys and values as [1, B, numKvHeads * headDim]. */
export function newestAttention<T>(
  ops: Ops<T>,
  { numHeads, numKvHeads, headDim }: DecoderConfig,
  { keys: pastKeys, values: pastValues, mask }: PastKeys<T>,
): Attend<T> {
  return ({ queries, keys, values }, layer) => {
    const batch = ops.shape(queries)[0]!
    const one = (y: T): T => ops.reshape(y, [batch, numKvHeads, 1, headDim])
    const attended = ops.pastAttention(ops.reshape(queries, [batch, numKvHeads, numHeads / numKvHeads, headDim]), {
      pastKeys: pastKeys(layer),
      pastValues: pastValues(layer),
      ownKeys: one(keys),
      ownValues: one(values),
      mask,
      scale: 1 / Math.sqrt(headDim),
    })
    const present = (y: T): T => ops.reshape(y, [1, batch, numKvHeads * headDim])
    const joined = ops.reshape(attended, [batch, numHeads * headDim])
    return { attended: joined, keys: present(keys), values: present(values) }
  }
}

/** T new tokens of each of B sequences see what is cached of it and, of each other, what `ownMask` [1, 1, G * T, T] shows. */
export function cachedAttention<T>(
  ops: Ops<T>,
  { numKvHeads, headDim }: DecoderConfig,
  { keys: pastKeys, values: pastValues, mask, ownMask }: PastKeys<T> & { readonly ownMask: T },
): Attend<T> {
  return ({ queries, keys, values }, layer) => {
    const attended = ops.cachedAttention(queries, {
      ownKeys: keys,
      ownValues: values,
      pastKeys: pastKeys(layer),
      pastValues: pastValues(layer),
      pastMask: mask,
      ownMask,
      scale: 1 / Math.sqrt(headDim),
    })
    const present = (y: T): T => ops.reshape(y, [1, ops.shape(y)[0]!, numKvHeads * headDim])
    return { attended, keys: present(keys), values: present(values) }
  }
}

/** B rows of T tokens, each of which sees what `mask` shows of its row; `mask` broadcasts to [B, numKvHeads, groups, T, T]. */
export function rowAttention<T>(
  ops: Ops<T>,
  { numHeads, numKvHeads, headDim }: DecoderConfig,
  { batch, length, mask }: { readonly batch: number; readonly length: number; readonly mask: T },
): Attend<T> {
  const groups = numHeads / numKvHeads
  const perHead = (y: T): T => ops.transpose(ops.reshape(y, [batch, length, numKvHeads, headDim]), [0, 2, 1, 3])
  return ({ queries: q, keys: k, values: v }) => {
    const queries = ops.transpose(ops.reshape(q, [batch, length, numKvHeads, groups, headDim]), [0, 2, 3, 1, 4])
    const [keys, values] = [perHead(k), perHead(v)]
    const attended = ops.attention(queries, keys, values, { mask, scale: 1 / Math.sqrt(headDim) })
    const joined = ops.transpose(attended, [0, 3, 1, 2, 4])
    return { attended: ops.reshape(joined, [batch * length, numHeads * headDim]), keys, values }
  }
}

/** Prompts and their completions: B prompts of S tokens, then N branches of T tokens for each prompt. */
export interface BranchSizes {
  readonly batch: number
  /** S */
  readonly promptLength: number
  /** N */
  readonly branches: number
  /** T */
  readonly branchLength: number
}

/**
 * Prompts see themselves in the order of tokens; branches see what the masks show of their prompt and themselves. The keys
 * and values that are answered are the prompts'.
 *
 * @param promptMask [B, 1, 1, S] hides the padding of prompts from branches
 * @param branchMask [B, 1, N, 1, T, T] or what broadcasts to it
 */
export function branchAttention<T>(
  ops: Ops<T>,
  config: DecoderConfig,
  {
    batch,
    promptLength,
    branches,
    branchLength,
    promptMask,
    branchMask,
  }: BranchSizes & { readonly promptMask: T; readonly branchMask: T },
): Attend<T> {
  const { numHeads, numKvHeads, headDim } = config
  const groups = numHeads / numKvHeads
  const mask = laterTokensMask(ops, promptLength)
  const ofPrompts = rowAttention(ops, config, { batch, length: promptLength, mask })
  const [first, end] = [batch * promptLength, batch * (promptLength + branches * branchLength)]
  const perBranch = (y: T): T =>
    ops.transpose(
      ops.reshape(ops.slice(y, 0, first, end), [batch, branches, branchLength, numKvHeads, headDim]),
      [0, 3, 1, 2, 4],
    )
  return ({ queries: q, keys: k, values: v }, layer) => {
    const own = (y: T): T => ops.slice(y, 0, 0, first)
    const { attended, keys, values } = ofPrompts({ queries: own(q), keys: own(k), values: own(v) }, layer)
    const split = [batch, branches, branchLength, numKvHeads, groups, headDim]
    const queries = ops.transpose(ops.reshape(ops.slice(q, 0, first, end), split), [0, 3, 1, 4, 2, 5])
    const answered = ops.prefixAttention(queries, {
      prefixKeys: keys,
      prefixValues: values,
      ownKeys: perBranch(k),
      ownValues: perBranch(v),
      prefixMask: promptMask,
      ownMask: branchMask,
      scale: 1 / Math.sqrt(headDim),
    })
    const joined = ops.reshape(ops.transpose(answered, [0, 2, 4, 1, 3, 5]), [end - first, numHeads * headDim])
    return { attended: ops.concat([attended, joined], 0), keys, values }
  }
}
