import type { Ops } from '@qoq-med/tensor'
import type { Weights } from '../encoder.ts'
import { pooledTokens, type EcgJepaConfig, type EcgPooling } from './config.ts'
import { crossPatternMask } from './cross-pattern.ts'

const epsilon = 1e-5

/**
 * The ECG-JEPA encoder (Kim, ECG-JEPA, section 3; weights as in the official checkpoint without the prefix `encoder.`):
 * each lead is cut into patches, and a patch attends to those of its lead and those of its time.
 *
 * @param signals [N, L, numPatches * patchSize] millivolts at 250 Hz, L leads
 * @param leads which of the config's leads the L are; all by default
 * @returns [N, L * numPatches, embedDim], lead after lead
 */
export function ecgJepaEncoder<T>(
  ops: Ops<T>,
  weights: Weights<T>,
  config: EcgJepaConfig,
  signals: T,
  leads: readonly number[] = Array.from({ length: config.numLeads }, (_, lead) => lead),
): T {
  const { embedDim, numPatches, patchSize, depth } = config
  const batch = ops.shape(signals)[0]!
  const tokens = leads.length * numPatches
  const patches = ops.reshape(signals, [batch, tokens, patchSize])
  const embedded = ops.linear(patches, weights('W_P.weight'), weights('W_P.bias'))
  const positions = leadPositions(ops, weights('pos_embed'), config, leads)
  let x = embedded
  const mask = ops.constant(crossPatternMask(leads.length, numPatches), [tokens, tokens])
  for (let block = 0; block < depth; block++) {
    const below: Weights<T> = name => weights(`encoder_blocks.blocks.${block}.${name}`)
    // Before every block, not once as in a plain vision transformer.
    x = ops.add(x, positions)
    x = ops.add(x, attention(ops, below, config, norm(ops, below, 'norm1', x), mask))
    const hidden = ops.linear(norm(ops, below, 'norm2', x), below('mlp.fc1.weight'), below('mlp.fc1.bias'))
    x = ops.add(x, ops.linear(ops.gelu(hidden), below('mlp.fc2.weight'), below('mlp.fc2.bias')))
  }
  return ops.reshape(norm(ops, weights, 'norm', x), [batch, tokens, embedDim])
}

function norm<T>(ops: Ops<T>, weights: Weights<T>, name: string, x: T): T {
  return ops.layerNorm(x, weights(`${name}.weight`), weights(`${name}.bias`), epsilon)
}

function leadPositions<T>(
  ops: Ops<T>,
  positions: T,
  { numLeads, numPatches }: EcgJepaConfig,
  leads: readonly number[],
): T {
  if (leads.length === numLeads) return positions
  const rows = leads.flatMap(lead => Array.from({ length: numPatches }, (_, patch) => lead * numPatches + patch))
  return ops.gatherRows(positions, ops.indices(Int32Array.from(rows)))
}

function attention<T>(ops: Ops<T>, weights: Weights<T>, { embedDim, numHeads }: EcgJepaConfig, x: T, mask: T): T {
  const [batch, tokens] = ops.shape(x) as [number, number, number] // rank 3
  const headDim = embedDim / numHeads
  const projected = ops.reshape(ops.linear(x, weights('attn.qkv.weight')), [batch, tokens, 3, numHeads, headDim])
  const perHead = ops.transpose(projected, [2, 0, 3, 1, 4])
  const part = (at: number): T => ops.reshape(ops.slice(perHead, 0, at, at + 1), [batch, numHeads, tokens, headDim])
  const queries = ops.reshape(part(0), [batch, numHeads, 1, tokens, headDim])
  const attended = ops.attention(queries, part(1), part(2), { mask, scale: 1 / Math.sqrt(headDim) })
  const joined = ops.transpose(ops.reshape(attended, [batch, numHeads, tokens, headDim]), [0, 2, 1, 3])
  return ops.linear(
    ops.reshape(joined, [batch, tokens, embedDim]),
    weights('attn.proj.weight'),
    weights('attn.proj.bias'),
  )
}

/**
 * Pools an ECG's tokens [N, L * numPatches, D] to [N, K, D]: means of K equal runs of tokens (whole leads or parts of
 * one). `mean` is the released model's choice, `patches` the paper's "time-series tokens" (docs/paper-map.md).
 *
 * @throws ENCODERS_ECG_TOKENS when the runs would not be equal
 */
export function poolEcgTokens<T>(ops: Ops<T>, config: EcgJepaConfig, tokens: T, pooling: EcgPooling): T {
  if (pooling === 'patches') return tokens
  const [batch, count, width] = ops.shape(tokens) as [number, number, number] // rank 3
  const pooled = pooledTokens(config, pooling)
  return ops.mean(ops.reshape(tokens, [batch, pooled, count / pooled, width]), { axis: 2 })
}
