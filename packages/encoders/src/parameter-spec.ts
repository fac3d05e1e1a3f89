/** Name and shape of a weight, and how it starts when an encoder is trained from scratch. */
export interface ParameterSpec {
  /** As in the checkpoint. */
  readonly name: string
  readonly shape: readonly number[]
  /** `normal`: random; or fixed values [shape], which training leaves alone. */
  readonly init: 'normal' | 'zeros' | 'ones' | Float32Array
}

/** Looks a weight up by its checkpoint name. */
export type Weights<T> = (name: string) => T
