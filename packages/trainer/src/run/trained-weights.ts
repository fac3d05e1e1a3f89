import type { FrozenBase } from '@qoq-med/model'
import type { ParameterStore } from '@qoq-med/tensor'
import type { Adaptation } from '../learn/adaptation.ts'

/** A weight by its checkpoint name. */
export type WeightLookup = (name: string) => Float32Array

/** What a stage trains, and the model that it makes. */
export interface StageWeights {
  /** Weights, gradients and moments; with adapters their factors, beside the frozen base unless that is on disk. */
  readonly store: ParameterStore
  /** Weights of the whole model: those of the store, with adapters merged in. Over a base on disk the factors alone. */
  readonly weights: WeightLookup
  readonly adaptation?: Adaptation
  /** The base on disk, where it is there. */
  readonly base?: FrozenBase
}
