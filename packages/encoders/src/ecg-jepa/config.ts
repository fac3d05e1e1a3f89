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
