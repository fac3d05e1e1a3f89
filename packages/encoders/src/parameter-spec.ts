/** How a weight starts when an encoder is trained from scratch. */
export type ParameterInit =
  | { readonly type: 'normal'; readonly std: number }
  | { readonly type: 'zeros' }
  | { readonly type: 'ones' }
  /** Fixed values of the parameter's shape, such as a position table. */
  | { readonly type: 'values'; readonly values: Float32Array }

/** Name and shape of a weight, how it starts, and whether training moves it. */
export interface ParameterSpec {
  /** As in the checkpoint. */
  readonly name: string
  readonly shape: readonly number[]
  readonly init: ParameterInit
  readonly isTrainable: boolean
}
