import { encodersErrors } from '../errors.ts'

/** Sizes of the ECG-JEPA encoder. */
export interface EcgJepaConfig {
  readonly embedDim: number
  readonly depth: number
  readonly numHeads: number
  /** Leads in the order I, II, V1–V6. */
  readonly numLeads: number
  /** Samples per patch, at 250 Hz. */
  readonly patchSize: number
  /** Patches per lead. */
  readonly numPatches: number
  /** Whether queries, keys and values have a bias. The official encoder's have none. Default false. */
  readonly qkvBias?: boolean
}

/** The official encoder: 8 leads × 50 patches of 50 samples (0.2 s at 250 Hz), 768 × 12 layers. */
export const officialEcgJepa: EcgJepaConfig = {
  embedDim: 768,
  depth: 12,
  numHeads: 16,
  numLeads: 8,
  patchSize: 50,
  numPatches: 50,
}

/** For training from scratch on two cores: patches of 0.5 s (160 tokens), 64 × 3 layers. */
export const nanoEcgJepa: EcgJepaConfig = {
  embedDim: 64,
  depth: 3,
  numHeads: 4,
  numLeads: 8,
  patchSize: 125,
  numPatches: 20,
}

/** For policies of under half a million parameters: patches of 0.5 s, 40 × 2 layers. */
export const picoEcgJepa: EcgJepaConfig = { ...nanoEcgJepa, embedDim: 40, depth: 2 }

/** Sizes of ECG-JEPA's predictor, which only pre-training needs. */
export interface EcgPredictorConfig {
  readonly embedDim: number
  readonly depth: number
  readonly numHeads: number
}

/** The official predictor: 384 × 6 layers. */
export const officialEcgPredictor: EcgPredictorConfig = { embedDim: 384, depth: 6, numHeads: 12 }

/** A predictor for `nanoEcgJepa`: 32 × 2 layers. */
export const nanoEcgPredictor: EcgPredictorConfig = { embedDim: 32, depth: 2, numHeads: 2 }

/** A predictor half as wide and half as deep as an encoder, as the two above are. */
export function ecgPredictorFor({ embedDim, depth }: EcgJepaConfig): EcgPredictorConfig {
  const width = 4 * Math.ceil(embedDim / 8)
  const headDim = width < 384 ? 16 : 32
  return { embedDim: width, depth: Math.ceil(depth / 2), numHeads: width % headDim === 0 ? width / headDim : 1 }
}

/** Names in the official code's arguments. */
const fields = {
  embedDim: 'encoder_embed_dim',
  depth: 'encoder_depth',
  numHeads: 'encoder_num_heads',
  numLeads: 'c',
  numPatches: 'p',
  patchSize: 't',
} as const

/** Largest size that a config may claim: no encoder is near it, and products of two stay exact. */
const maxSize = 2 ** 20
/** Every block has a dozen parameters, named before any is read. */
const maxDepth = 1024
/** Elements of the table of positions, made before any weight is read; the official one has 307,200. */
const maxPositions = 2 ** 23

/**
 * Reads sizes in the official code's names (`encoder_embed_dim`, …); absent fields have the official values.
 *
 * @throws ENCODERS_CONFIG when a field is no sensible size, or the positions are not the sine and cosine table
 */
export function readEcgJepaConfig(json: Readonly<Record<string, unknown>>): EcgJepaConfig {
  const config: Record<string, unknown> = { ...officialEcgJepa }
  for (const [field, name] of Object.entries(fields)) if (json[name] !== undefined) config[field] = json[name]
  const positions = json['pos_type'] ?? 'sincos'
  if (positions !== 'sincos') throw encodersErrors.CONFIG({ field: 'pos_type', value: positions, rule: '"sincos"' })
  const qkvBias = json['qkv_bias'] ?? false
  if (typeof qkvBias !== 'boolean')
    throw encodersErrors.CONFIG({ field: 'qkv_bias', value: qkvBias, rule: 'true or false' })
  if (qkvBias) config['qkvBias'] = true
  return checkEcgJepaConfig(config as unknown as EcgJepaConfig) // every field is checked there
}

/** Writes sizes in the official code's names. */
export function writeEcgJepaConfig(config: EcgJepaConfig): Record<string, unknown> {
  const sizes = Object.entries(fields).map(([field, name]) => [name, config[field as keyof typeof fields]]) // its keys
  const sizesByName = Object.fromEntries(sizes) as Record<string, number> // each size is a number
  return { ...sizesByName, pos_type: 'sincos', ...(config.qkvBias && { qkv_bias: true }) }
}

/**
 * Refuses sizes that do not fit together.
 *
 * @throws ENCODERS_CONFIG
 */
export function checkEcgJepaConfig(config: EcgJepaConfig): EcgJepaConfig {
  for (const [field, name] of Object.entries(fields)) {
    const value: unknown = config[field as keyof typeof fields] // its keys
    if (!Number.isInteger(value) || Number(value) < 1 || Number(value) > maxSize)
      throw encodersErrors.CONFIG({ field: name, value, rule: `a whole number from 1 to ${maxSize}` })
  }
  const { embedDim, numHeads, depth, numLeads, numPatches } = config
  if (depth > maxDepth) throw encodersErrors.CONFIG({ field: fields.depth, value: depth, rule: `at most ${maxDepth}` })
  const positions = numLeads * numPatches * embedDim
  if (positions > maxPositions)
    throw encodersErrors.CONFIG({
      field: fields.numPatches,
      value: numPatches,
      rule: `small enough for a table of ${maxPositions} positions`,
    })
  if (embedDim % numHeads !== 0 || embedDim % 4 !== 0)
    throw encodersErrors.CONFIG({ field: fields.embedDim, value: embedDim, rule: `a multiple of 4 and of ${numHeads}` })
  return config
}

/** How many positions of the language model an ECG takes: every token, their mean, or means of that many equal groups. */
export type EcgPooling = 'patches' | 'mean' | number

/**
 * Counts the tokens that an ECG gives after pooling.
 *
 * @throws ENCODERS_ECG_TOKENS when the groups would not be equal
 */
export function pooledTokens(config: EcgJepaConfig, pooling: EcgPooling): number {
  const tokens = config.numLeads * config.numPatches
  if (pooling === 'patches') return tokens
  if (pooling === 'mean') return 1
  if (!Number.isInteger(pooling) || pooling < 1 || tokens % pooling !== 0) {
    throw encodersErrors.ECG_TOKENS({ tokens: pooling, patches: tokens })
  }
  return pooling
}
