import type { ParameterStore } from '@qoq-med/tensor'
import type { Adaptation } from '../learn/adaptation.ts'

/** A weight by its checkpoint name. */
export type WeightLookup = (name: string) => Float32Array

/** What a stage trains, and the model that it makes. */
export interface StageWeights {
  /** Weights, gradients and moments; with adapters their factors beside the frozen base. */
  readonly store: ParameterStore
  /** Weights of the whole model: those of the store, with adapters merged in. */
  readonly weights: WeightLookup
  readonly adaptation?: Adaptation
}
