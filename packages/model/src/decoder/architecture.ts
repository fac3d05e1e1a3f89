/** What tells one family of models from another; all share the decoder (`decoder/decoder.ts`). */
export interface Architecture<Family extends string = string> {
  readonly family: Family
  /** `model_type` in a config.json. */
  readonly modelTypes: readonly string[]
  /** Its class in transformers. */
  readonly className: string
  /** `general.architecture` in a GGUF file. */
  readonly ggufNames: readonly string[]
  /** Whether it has a vision tower. */
  readonly hasVision: boolean
  /** Whether queries, keys and values have a bias, by what config.json says. */
  attentionBias(attentionBias: boolean | undefined): boolean
  /** Whether GGUF files keep the two rows of a rotated pair as neighbours. */
  readonly ggufInterleaves: boolean
}

/** Types a row of the table by its family. */
export function defineArchitecture<const Family extends string>(row: Architecture<Family>): Architecture<Family> {
  return row
}
