import type { Ops } from '@qoq-med/tensor'
import { scopeLayers, type Layers } from '../layers.ts'
import type { ParameterSpec } from '../parameter-spec.ts'
import type { EcgJepaConfig, EcgPredictorConfig } from './config.ts'
import { blockSpecs, linearSpecs, normalSpec, normSpecs, positionSpec } from './parameter-specs.ts'
import { fullAttention, layerNorm, transformerBlocks } from './transformer-block.ts'

/**
 * ECG-JEPA's predictor: from the visible patches of a lead it predicts the target encoder's tokens of the hidden ones,
 * lead by lead.
 *
 * @param layers names relative to `predictor.`
 * @param context [N, leads * visible, embedDim] tokens of the visible patches
 * @param order [numPatches] int32: the visible times, then the hidden ones
 * @returns [N * leads, hidden, embedDim]
 */
export function ecgPredictor<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  { encoder, predictor }: { readonly encoder: EcgJepaConfig; readonly predictor: EcgPredictorConfig },
  context: T,
  order: T,
): T {
  const { numLeads, numPatches } = encoder
  const [batch, tokens] = ops.shape(context) as [number, number, number] // rank 3
  const visible = tokens / numLeads
  const width = predictor.embedDim
  const embedded = layers.linear(context, 'predictor_embed', { hasBias: true })
  const seen = ops.reshape(embedded, [batch * numLeads, visible, width])
  const asked = ops.expand(layers.weight('mask_token'), [batch * numLeads, numPatches - visible, width])
  const positions = ops.gatherRows(layers.weight('pos_embed'), order)
  const blocks = scopeLayers(layers, 'predictor_blocks.')
  const joined = ops.concat([seen, asked], 1)
  const hidden = transformerBlocks(ops, blocks, predictor, joined, positions, fullAttention(ops))
  const answers = ops.slice(layerNorm(ops, layers, 'predictor_norm', hidden), 1, visible, numPatches)
  return layers.linear(answers, 'predictor_proj', { hasBias: true })
}

/** Every parameter of the predictor, named as in the official code without `predictor.`. */
export function ecgPredictorParameterSpecs(encoder: EcgJepaConfig, predictor: EcgPredictorConfig): ParameterSpec[] {
  const width = predictor.embedDim
  return [
    normalSpec('mask_token', [1, 1, width]),
    positionSpec(1, encoder.numPatches, width),
    ...linearSpecs('predictor_embed', width, encoder.embedDim),
    ...blockSpecs('predictor_blocks.blocks', width, predictor),
    ...normSpecs('predictor_norm', width),
    ...linearSpecs('predictor_proj', encoder.embedDim, width),
  ]
}
