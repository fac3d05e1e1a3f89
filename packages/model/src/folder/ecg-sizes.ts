import type { EcgJepaConfig } from '@qoq-med/encoders'
import type { ModelConfig } from '../checkpoint/model-config.ts'
import type { TensorSource } from '../checkpoint/tensor-source.ts'
import { canonicalName } from '../checkpoint/weight-names.ts'

/**
 * Takes the sizes of the ECG encoder from the weights where config.json is silent, as the release's is: its code has them
 * as constants.
 */
export function withEcgSizes(config: ModelConfig, source: TensorSource): ModelConfig {
  if (config.ecg === undefined) return config
  const shapes = new Map(Array.from(source.tensors, ([name, { shape }]) => [canonicalName(name), shape]))
  const prefix = 'time_series_embedding.encoder.'
  const bias = hasQkvBias(shapes, prefix) ? { qkvBias: true } : {}
  const known = { ...config.ecg.encoder, ...bias }
  const encoder = config.ecg.isExplicit ? known : (inferEcgJepa(shapes, prefix) ?? known)
  return { ...config, ecg: { ...config.ecg, encoder } }
}

/**
 * Infers the sizes of an ECG-JEPA encoder from its tensors. The number of heads leaves no trace in them: the official
 * encoder's heads are 48 wide; where 48 does not divide the width they are taken to be 8 wide (the small test models').
 *
 * @param shapes shape of each tensor by name
 * @param prefix of the encoder's names
 * @returns undefined when the encoder's tensors are not there
 */
export function inferEcgJepa(
  shapes: ReadonlyMap<string, readonly number[]>,
  prefix: string,
): EcgJepaConfig | undefined {
  const [positions, embedDim] = shapes.get(`${prefix}pos_embed`) ?? []
  const patchSize = shapes.get(`${prefix}W_P.weight`)?.[1]
  if (positions === undefined || embedDim === undefined || patchSize === undefined) return undefined
  const numLeads = 8
  let depth = 0
  while (shapes.has(`${prefix}encoder_blocks.blocks.${depth}.attn.qkv.weight`)) depth++
  const headDim = embedDim % 48 === 0 ? 48 : 8
  const sizes = { embedDim, depth, numHeads: embedDim / headDim, numLeads, patchSize, numPatches: positions / numLeads }
  return { ...sizes, ...(hasQkvBias(shapes, prefix) && { qkvBias: true }) }
}

/** Whether the queries, keys and values of an encoder's tensors have a bias. */
export function hasQkvBias(shapes: ReadonlyMap<string, readonly number[]>, prefix: string): boolean {
  return shapes.has(`${prefix}encoder_blocks.blocks.0.attn.qkv.bias`)
}

/** What comes before the names of an ECG-JEPA encoder in a bare checkpoint; undefined when it holds none. */
export function ecgEncoderPrefix(shapes: ReadonlyMap<string, readonly number[]>): string | undefined {
  return ['encoder.', '', 'time_series_embedding.encoder.'].find(each => shapes.has(`${each}pos_embed`))
}
