import type { Ops } from '@qoq-med/tensor'
import { scopeWeights, type Weights } from '../encoder.ts'
import type { ParameterSpec } from '../parameter-spec.ts'
import type { EcgJepaConfig, EcgPredictorConfig } from './config.ts'
import { blockSpecs, linearSpecs, normalSpec, normSpecs, positionSpec } from './parameter-specs.ts'
import { fullAttention, layerNorm, transformerBlocks } from './transformer-block.ts'

/**
 * ECG-JEPA's predictor: from the visible patches of a lead it predicts the target encoder's tokens of the hidden ones,
 * lead by lead.
 *
 * @param weights names relative to `predictor.`
 * @param context [N, leads * visible, embedDim] tokens of the visible patches
 * @param order [numPatches] int32: the visible times, then the hidden ones
 * @returns [N * leads, hidden, embedDim]
 */
export function ecgPredictor<T>(
  ops: Ops<T>,
  weights: Weights<T>,
  { encoder, predictor }: { readonly encoder: EcgJepaConfig; readonly predictor: EcgPredictorConfig },
  context: T,
  order: T,
): T {
  const { numLeads, numPatches } = encoder
  const [batch, tokens] = ops.shape(context) as [number, number, number] // rank 3
  const visible = tokens / numLeads
  const width = predictor.embedDim
  const embedded = ops.linear(context, weights('predictor_embed.weight'), weights('predictor_embed.bias'))
  const seen = ops.reshape(embedded, [batch * numLeads, visible, width])
  const asked = ops.expand(weights('mask_token'), [batch * numLeads, numPatches - visible, width])
  const positions = ops.gatherRows(weights('pos_embed'), order)
  const blocks = scopeWeights(weights, 'predictor_blocks.')
  const joined = ops.concat([seen, asked], 1)
  const hidden = transformerBlocks(ops, blocks, predictor, joined, positions, fullAttention(ops))
  const answers = ops.slice(layerNorm(ops, weights, 'predictor_norm', hidden), 1, visible, numPatches)
  return ops.linear(answers, weights('predictor_proj.weight'), weights('predictor_proj.bias'))
}

/** Every parameter of the predictor, named as in the official code without `predictor.`. */
export function ecgPredictorParameterSpecs(encoder: EcgJepaConfig, predictor: EcgPredictorConfig): ParameterSpec[] {
  const width = predictor.embedDim
  return [
    normalSpec('mask_token', [1, 1, width]),
    positionSpec(1, encoder.numPatches, width),
    ...linearSpecs('predictor_embed', width, encoder.embedDim),
    ...blockSpecs('predictor_blocks.blocks', width, predictor.depth),
    ...normSpecs('predictor_norm', width),
    ...linearSpecs('predictor_proj', encoder.embedDim, width),
  ]
}
