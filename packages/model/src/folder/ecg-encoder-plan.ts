import { ecgJepaParameterSpecs, readEcgJepaConfig, type EcgJepaConfig } from '@qoq-med/encoders'
import { planWeights, type WeightPlan } from '../checkpoint/read-weights.ts'
import type { TensorSource } from '../checkpoint/tensor-source.ts'
import { modelErrors } from '../errors.ts'
import { ecgEncoderPrefix, hasQkvBias, inferEcgJepa } from './ecg-sizes.ts'

/** An encoder of a bare checkpoint: its sizes, and where each of its parameters lies, by the encoder's own names. */
export interface EcgEncoderPlan {
  readonly sizes: EcgJepaConfig
  readonly plan: WeightPlan
}

/**
 * Finds the ECG-JEPA encoder of a bare checkpoint. Every tensor must be used, but those of `unusedSections`.
 *
 * @param config sizes in the official code's names, or sections of them; default: inferred from the tensors
 * @throws MODEL_TENSOR_MISSING, MODEL_TENSOR_UNEXPECTED, MODEL_TENSOR_SHAPE, ENCODERS_CONFIG
 */
export function ecgEncoderPlan(source: TensorSource, config?: Readonly<Record<string, unknown>>): EcgEncoderPlan {
  const shapes = new Map(Array.from(source.tensors, ([name, { shape }]) => [name, shape]))
  const prefix = ecgEncoderPrefix(shapes)
  const sizes = config === undefined ? inferEcgJepa(shapes, prefix ?? '') : sizesThatFit(config, shapes, prefix ?? '')
  if (prefix === undefined || sizes === undefined)
    throw modelErrors.TENSOR_MISSING({ source: source.source, tensor: 'encoder.pos_embed', shape: [400, 768] })
  const specs = ecgJepaParameterSpecs(sizes).map(({ name, shape }) => ({ name: prefix + name, shape }))
  const planned = planWeights(
    source,
    specs,
    unusedSections.filter(section => section.beside === prefix),
  )
  return { sizes, plan: new Map(Array.from(planned, ([name, stored]) => [name.slice(prefix.length), stored])) }
}

/** What a checkpoint may hold beside the encoder, by the encoder's own prefix, and why running the encoder does not need it. */
export const unusedSections: readonly { readonly beside: string; readonly prefix: string; readonly reason: string }[] =
  [
    { beside: 'encoder.', prefix: 'target_encoder.', reason: 'the moving average that pre-training predicts' },
    { beside: 'encoder.', prefix: 'predictor.', reason: 'predicts hidden patches in pre-training' },
    { beside: 'encoder.', prefix: 'optimizer.', reason: 'the state of the optimizer' },
    ...['time_series_embedding.linear.', 'model.', 'visual.', 'lm_head.'].map(prefix => ({
      beside: 'time_series_embedding.encoder.',
      prefix,
      reason: 'the rest of the model whose encoder alone is asked for',
    })),
  ]

/** The sizes themselves, or of several sections the first that the tensors have; bias or none is what the tensors say. */
function sizesThatFit(
  config: Readonly<Record<string, unknown>>,
  shapes: ReadonlyMap<string, readonly number[]>,
  prefix: string,
): EcgJepaConfig {
  const bias = hasQkvBias(shapes, prefix) ? { qkvBias: true } : {}
  const read = (json: Readonly<Record<string, unknown>>): EcgJepaConfig => ({ ...readEcgJepaConfig(json), ...bias })
  const sections = Object.values(config).filter(value => isSection(value))
  if (sections.length === 0) return read(config)
  const fits = (sizes: EcgJepaConfig): boolean => {
    const specs = ecgJepaParameterSpecs(sizes)
    const depth = `${prefix}encoder_blocks.blocks.${sizes.depth}.norm1.weight`
    return specs.every(({ name, shape }) => shapes.get(prefix + name)?.join() === shape.join()) && !shapes.has(depth)
  }
  const candidates = sections.map(read)
  return candidates.find(fits) ?? candidates[0]! // there is one; planning says what does not fit
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
