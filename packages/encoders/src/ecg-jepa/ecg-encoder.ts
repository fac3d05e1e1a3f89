import type { Ops } from '@qoq-med/tensor'
import {
  jepaLeads,
  jepaWindow,
  preprocessEcg,
  type EcgRecording,
  type EcgWindow,
  type PreparedEcg,
  type PreprocessEcgOptions,
} from '../ecg/preprocess-ecg.ts'
import type { Encoder, EncoderBatch } from '../encoder.ts'
import { encodersErrors } from '../errors.ts'
import { scopeLayers, type Layers } from '../layers.ts'
import type { ParameterSpec } from '../parameter-spec.ts'
import { roundedCount, type BatchRounding } from '../size-ladder.ts'
import { checkEcgJepaConfig, pooledTokens, type EcgJepaConfig, type EcgPooling } from './config.ts'
import { ecgJepaEncoder, poolEcgTokens } from './encoder.ts'
import { ecgJepaParameterSpecs, linearSpecs } from './parameter-specs.ts'

/** Settings of `createEcgEncoder`. */
export interface EcgEncoderOptions {
  readonly config: EcgJepaConfig
  /** The LLM's hidden size. */
  readonly hiddenSize: number
  /** How many positions of the LLM an ECG takes. */
  readonly pooling: EcgPooling
  /** Default `jepaWindow`. Its samples must be the encoder's. */
  readonly window?: EcgWindow
  /** `rounded` pads a batch with silent recordings to the next of few sizes, so that few graphs serve many batches. */
  readonly bucket?: BatchRounding
  /** What to do about a lead that is not there. Default `error`. */
  readonly missingLeads?: PreprocessEcgOptions['missingLeads']
}

/** Prefix of these parameters in a QoQ-Med checkpoint. */
const prefix = 'time_series_embedding.'

/**
 * The encoder of ECGs: a recording becomes ECG-JEPA's tokens, pooled and projected into the LLM's space.
 *
 * @throws ENCODERS_CONFIG when sizes do not fit together
 * @throws ENCODERS_ECG_TOKENS when the tokens cannot be pooled so
 */
export function createEcgEncoder(options: EcgEncoderOptions): Encoder<EcgRecording, PreparedEcg> {
  const { config, hiddenSize, pooling, window = jepaWindow, missingLeads = 'error' } = options
  checkEcgJepaConfig(config)
  const tokens = pooledTokens(config, pooling)
  const samples = config.numPatches * config.patchSize
  if (window.samples !== samples)
    throw encodersErrors.CONFIG({ field: 'window.samples', value: window.samples, rule: `${samples}, p times t` })
  if (config.numLeads !== jepaLeads.length)
    throw encodersErrors.CONFIG({
      field: 'c',
      value: config.numLeads,
      rule: `${jepaLeads.length}, ${jepaLeads.join(', ')}`,
    })
  return {
    parameters: ecgEncoderParameterSpecs(config, hiddenSize),
    preprocess: recording => preprocessEcg(recording, { window, missingLeads }),
    tokens: () => tokens,
    batch: (items, rounding = options.bucket) => ecgBatch({ ...options, ...(rounding && { bucket: rounding }) }, items),
  }
}

/**
 * Puts prepared ECGs together for the encoder.
 *
 * @throws ENCODERS_ECG_SHAPE when one is not [leads, samples]
 */
export function ecgBatch(
  { config, pooling, bucket }: Pick<EcgEncoderOptions, 'config' | 'pooling' | 'bucket'>,
  items: readonly PreparedEcg[],
): EncoderBatch {
  const count = bucket === undefined ? items.length : roundedCount(items.length, bucket)
  const shape = [count, config.numLeads, config.numPatches * config.patchSize]
  return {
    key: `ecg ${shape.join('x')} ${pooling}`,
    inputs: { ecg: { dtype: 'float32', shape, data: stackEcgs(config, items, count) } },
    rows: count * pooledTokens(config, pooling),
    forward: (ops, layers, input) => ecgEmbeddings(ops, scopeLayers(layers, prefix), config, pooling, input('ecg')),
  }
}

/**
 * Joins prepared ECGs: [count * leads * samples], zeros behind the last.
 *
 * @throws ENCODERS_ECG_SHAPE when one is not [leads, samples]
 */
export function stackEcgs(
  config: EcgJepaConfig,
  items: readonly PreparedEcg[],
  count: number = items.length,
): Float32Array {
  const samples = config.numPatches * config.patchSize
  const size = config.numLeads * samples
  const data = new Float32Array(count * size)
  items.forEach(({ signalMv }, i) => {
    if (signalMv.length !== size)
      throw encodersErrors.ECG_SHAPE({ found: [items.length, signalMv.length], leads: config.numLeads, samples })
    data.set(signalMv, i * size)
  })
  return data
}

/**
 * Encodes, pools and projects ECGs.
 *
 * @param layers names relative to `time_series_embedding.`
 * @param ecg [N, leads, samples] millivolts
 * @returns [N * tokens, hiddenSize]
 */
export function ecgEmbeddings<T>(
  ops: Ops<T>,
  layers: Layers<T>,
  config: EcgJepaConfig,
  pooling: EcgPooling,
  ecg: T,
): T {
  const tokens = ecgJepaEncoder(ops, scopeLayers(layers, 'encoder.'), config, ecg)
  const pooled = poolEcgTokens(ops, config, tokens, pooling)
  const [batch, count, width] = ops.shape(pooled) as [number, number, number] // [N, tokens, D]
  return layers.linear(ops.reshape(pooled, [batch * count, width]), 'linear', { hasBias: true })
}

/** Parameters of the encoder and its projection by their names in a QoQ-Med checkpoint. */
export function ecgEncoderParameterSpecs(config: EcgJepaConfig, hiddenSize: number): ParameterSpec[] {
  return [
    ...ecgJepaParameterSpecs(config).map(spec => ({ ...spec, name: `encoder.${spec.name}` })),
    ...linearSpecs('linear', hiddenSize, config.embedDim),
  ].map(spec => ({ ...spec, name: prefix + spec.name }))
}
