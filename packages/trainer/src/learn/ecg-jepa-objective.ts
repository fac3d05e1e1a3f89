import {
  ecgPretrainingBatch,
  ecgPretrainingParameterSpecs,
  initialEcgPretraining,
  type EcgPretrainingConfig,
  type PatchMask,
  type PreparedEcg,
} from '@qoq-med/encoders'
import { createParameterStore, type ParameterStore } from '@qoq-med/tensor'
import { scalarOf, type Objective } from './objective.ts'

/** Which patches of which update are hidden. */
export interface JepaUpdate {
  /** The same for all ECGs of the update. */
  readonly mask: PatchMask
  /** N: ECGs of the update, over all its microbatches. */
  readonly ecgs: number
}

/** ECG-JEPA's self-supervision: predict what the target encoder sees in the hidden patches. It reports the loss. */
export function ecgJepaObjective(
  config: EcgPretrainingConfig,
  { mask, ecgs }: JepaUpdate,
): Objective<PreparedEcg, number> {
  return {
    name: 'ecg-jepa',
    batch: items => {
      const packed = ecgPretrainingBatch(config, items, mask)
      const share = { dtype: 'float32', shape: [1], data: Float32Array.of(items.length / ecgs) } as const
      return {
        key: packed.key,
        inputs: { ...packed.inputs, share },
        build: ({ ops, weights, inputs: look }) => {
          const { loss } = packed.loss(ops, weights, look)
          return { loss: ops.sum(ops.mul(loss, look('share')), { axis: 0 }) }
        },
        report: results => scalarOf(results, 'loss'),
      }
    },
  }
}

/**
 * The parameters of pre-training: encoder and predictor, which train, and the target encoder, which follows.
 *
 * @param random uniform in [0, 1), for the initial values
 * @param initial weights to begin with, by name; the others are drawn, the target encoder as a copy of the encoder
 */
export function createEcgJepaStore(
  config: EcgPretrainingConfig,
  random: () => number,
  initial: ReadonlyMap<string, Float32Array> = new Map(),
): ParameterStore {
  const specs = ecgPretrainingParameterSpecs(config)
  const trained = new Set(specs.filter(({ isTrainable }) => isTrainable).map(({ name }) => name))
  const store = createParameterStore(specs, { trainable: name => trained.has(name) })
  for (const [name, drawn] of initialEcgPretraining(config, random)) {
    const given = initial.get(name) ?? initial.get(name.replace(/^target_/, ''))
    store.weights(name).set(given ?? drawn)
  }
  return store
}
