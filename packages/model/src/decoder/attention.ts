import type { Ops } from '@qoq-med/tensor'
import type { DecoderConfig } from '../checkpoint/decoder-config.ts'
import { laterTokensMask } from './later-tokens-mask.ts'
import type { Weights } from './weights.ts'

/** Rotations of the N tokens of a call, each [N, headDim / 2]. */
export interface Rotations<T> {
  readonly cos: T
  readonly sin: T
}

/** What attention answers. */
export interface Attended<T> {
  /** [N, numHeads * headDim] */
  readonly attended: T
  /** The rotated keys and the values that a cache keeps of B rows, [B, numKvHeads, T, headDim]. */
  readonly keys: T
  readonly values: T
}

/** Lets the N tokens of a call attend: rotated queries [N, numHeads * headDim], rotated keys and values [N, numKvHeads * headDim]. */
export type Attend<T> = (queries: T, keys: T, values: T) => Attended<T>

/** Grouped-query attention of Qwen2 (biases on q, k, v; rotary positions). `x` [N, hiddenSize]; `weights` below `self_attn.`. */
export function groupedQueryAttention<T>(
  ops: Ops<T>,
  weights: Weights<T>,
  { numHeads, numKvHeads, headDim, attentionBias }: DecoderConfig,
  x: T,
  { cos, sin, attend }: Rotations<T> & { readonly attend: Attend<T> },
): { readonly output: T } & Pick<Attended<T>, 'keys' | 'values'> {
  const tokens = ops.shape(x)[0]!
  const project = (name: string): T =>
    ops.linear(x, weights(`${name}.weight`), attentionBias ? weights(`${name}.bias`) : undefined)
  // All tokens as one sequence: a row of the tables is a token's own rotation.
  const rotated = (y: T, heads: number): T =>
    ops.reshape(ops.rotary(ops.reshape(y, [1, tokens, heads * headDim]), cos, sin), [tokens, heads * headDim])
  const queries = rotated(project('q_proj'), numHeads)
  const { attended, keys, values } = attend(queries, rotated(project('k_proj'), numKvHeads), project('v_proj'))
  return { output: ops.linear(attended, weights('o_proj.weight')), keys, values }
}

/** B rows of T tokens, each of which sees what `mask` shows of its row; `mask` broadcasts to [B, numKvHeads, groups, T, T]. */
export function rowAttention<T>(
  ops: Ops<T>,
  { numHeads, numKvHeads, headDim }: DecoderConfig,
  { batch, length, mask }: { readonly batch: number; readonly length: number; readonly mask: T },
): Attend<T> {
  const groups = numHeads / numKvHeads
  const perHead = (y: T): T => ops.transpose(ops.reshape(y, [batch, length, numKvHeads, headDim]), [0, 2, 1, 3])
  return (q, k, v) => {
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
  return (q, k, v) => {
    const [promptQueries, promptKeys, promptValues] = [q, k, v].map(y => ops.slice(y, 0, 0, first)) as [T, T, T] // three in, three out
    const { attended, keys, values } = ofPrompts(promptQueries, promptKeys, promptValues)
    const own = [batch, branches, branchLength, numKvHeads, groups, headDim]
    const queries = ops.transpose(ops.reshape(ops.slice(q, 0, first, end), own), [0, 3, 1, 4, 2, 5])
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
