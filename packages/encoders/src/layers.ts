import type { Ops } from '@qoq-med/tensor'

/** Finds a parameter by its name in the checkpoint. */
export type Weights<T> = (name: string) => T

/** What a linear layer has beside its matrix. */
export interface LinearOptions {
  /** Whether it has a bias. Default false. */
  readonly hasBias?: boolean
  /** Only these of its outputs, start … end − 1: one part of fused queries, keys and values. */
  readonly rows?: readonly [start: number, end: number]
}

/**
 * The layers of a model by their names in the checkpoint, whatever type their weights have, wherever they lie, and whether
 * adapters change them: a forward pass is written over this and never asks which.
 */
export interface Layers<T> {
  /** A parameter that is multiplied, added or looked up as it stands: of a norm, a table of positions. */
  weight(name: string): T
  /** y = x Wᵀ + b of the layer `name` (its parameters are `name.weight` and `name.bias`); `x` [..., I], answers [..., O]. */
  linear(x: T, name: string, options?: LinearOptions): T
  /**
   * Several layers on one `x`, their outputs joined along the last axis. There where one large product is faster than
   * some small ones.
   */
  fused?(x: T, names: readonly string[], options?: Pick<LinearOptions, 'hasBias'>): T
  /** Rows of a table [R, D] at `rows` (int32 [N]): [N, D]. There where the table is not whole in memory. */
  rows?(name: string, rows: T): T
}

/** Layers of float32 parameters that a graph is fed with, or that are dense. */
export function weightLayers<T>(ops: Ops<T>, weights: Weights<T>): Layers<T> {
  return {
    weight: weights,
    linear: (x, name, { hasBias = false, rows } = {}) => {
      const parameters = [weights(`${name}.weight`), ...(hasBias ? [weights(`${name}.bias`)] : [])]
      // Cutting the weight, not the product: the gradient of a cut is padding, and weights are smaller than activations.
      const [weight, bias] = rows ? parameters.map(each => ops.slice(each, 0, ...rows)) : parameters
      return ops.linear(x, weight!, bias) // every layer has a weight
    },
  }
}

/** Puts a prefix before every name that a layer asks for. */
export function scopeLayers<T>(layers: Layers<T>, prefix: string): Layers<T> {
  return {
    weight: name => layers.weight(prefix + name),
    linear: (x, name, options) => layers.linear(x, prefix + name, options),
    ...(layers.rows && { rows: (name: string, rows: T) => layers.rows!(prefix + name, rows) }), // it is there, as was just asked
    ...(layers.fused && {
      fused: (x: T, names: readonly string[], options?: Pick<LinearOptions, 'hasBias'>) => {
        const scoped = names.map(name => prefix + name)
        return layers.fused!(x, scoped, options) // it is there, as was just asked
      },
    }),
  }
}
