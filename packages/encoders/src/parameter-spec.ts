/** How a weight starts when an encoder is trained from scratch. */
export type ParameterInit =
  | { readonly type: 'normal'; readonly std: number }
  /** Uniform in [−bound, bound). */
  | { readonly type: 'uniform'; readonly bound: number }
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

/**
 * Draws the initial values of a parameter.
 *
 * @param random uniform in [0, 1)
 * @returns [...shape] row-major
 */
export function initialValues({ shape, init }: ParameterSpec, random: () => number): Float32Array {
  const length = shape.reduce((size, side) => size * side, 1)
  if (init.type === 'values') return init.values.slice()
  if (init.type === 'zeros') return new Float32Array(length)
  if (init.type === 'ones') return new Float32Array(length).fill(1)
  if (init.type === 'uniform') return Float32Array.from({ length }, () => init.bound * (2 * random() - 1))
  return Float32Array.from({ length }, () => init.std * standardNormal(random))
}

/** Box and Muller's transform; the second value of each pair is not used, for the sake of a plain order of draws. */
function standardNormal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
