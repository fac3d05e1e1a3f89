/** What a model takes in memory at least, in bytes; activations come on top. */
export interface MemoryNeeds {
  /** Weights as float32: what answering and scoring need. */
  readonly weights: number
  /** Weights, gradients and AdamW's moments as float32: what training all of it needs. */
  readonly training: number
}

/** Bytes that a number of parameters take. */
export function memoryNeeds(parameters: number): MemoryNeeds {
  return { weights: 4 * parameters, training: 16 * parameters }
}
