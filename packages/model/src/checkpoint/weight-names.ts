/** Prefixes that checkpoints of different times put before the same tensors, and the one used here. */
const prefixes: readonly (readonly [written: string, ours: string])[] = [
  ['model.language_model.lm_head.', 'lm_head.'],
  ['model.language_model.', 'model.'],
  ['language_model.model.', 'model.'],
  ['language_model.lm_head.', 'lm_head.'],
  ['model.visual.', 'visual.'],
  ['model.time_series_embedding.', 'time_series_embedding.'],
]

/**
 * Gives a tensor the name that is used here: `model.embed_tokens.*`, `model.layers.*`, `model.norm.*`, `lm_head.*`,
 * `visual.*`, `time_series_embedding.*`. Newer checkpoints write `model.language_model.layers.*` and `model.visual.*`.
 */
export function canonicalName(name: string): string {
  const found = prefixes.find(([written]) => name.startsWith(written))
  return found === undefined ? name : found[1] + name.slice(found[0].length)
}

/** Tells whether a tensor is a table that old libraries saved although it follows from the config. */
export function isDerivedTable(name: string): boolean {
  return name.endsWith('rotary_emb.inv_freq') || name.endsWith('rotary_pos_emb.inv_freq')
}
