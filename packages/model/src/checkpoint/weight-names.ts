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

/** Tensors that a checkpoint may hold and that nothing reads, and why. All others are used or are an error. */
export const unusedTensors: readonly {
  readonly reason: string
  readonly matches: (name: string, shape: readonly number[], wanted: ReadonlyMap<string, readonly number[]>) => boolean
}[] = [
  {
    reason: 'a table of rotations that old libraries saved although it follows from the config',
    matches: name => name.endsWith('rotary_emb.inv_freq') || name.endsWith('rotary_pos_emb.inv_freq'),
  },
  {
    reason: 'a copy of the embedding, to which the config ties the vocabulary head',
    matches: (name, shape, wanted) =>
      name === 'lm_head.weight' && shape.join() === wanted.get('model.embed_tokens.weight')?.join(),
  },
]

/** Tells whether a tensor is on the list of those that nothing reads. */
export function isUnused(
  name: string,
  shape: readonly number[],
  wanted: ReadonlyMap<string, readonly number[]>,
): boolean {
  return unusedTensors.some(({ matches }) => matches(name, shape, wanted))
}
