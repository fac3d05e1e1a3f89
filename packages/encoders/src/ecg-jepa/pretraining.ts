import { updateMovingAverage, type Ops } from '@qoq-med/tensor'
import type { PreparedEcg } from '../ecg/preprocess-ecg.ts'
import type { HostTensor } from '../encoder.ts'
import { scopeLayers, weightLayers, type Weights } from '../layers.ts'
import { initialValues, type ParameterSpec } from '../parameter-spec.ts'
import type { EcgJepaConfig, EcgPredictorConfig } from './config.ts'
import { stackEcgs } from './ecg-encoder.ts'
import { ecgJepaEncoder, encodePatches } from './encoder.ts'
import { ecgJepaParameterSpecs } from './parameter-specs.ts'
import type { PatchMask } from './patch-mask.ts'
import { ecgPredictor, ecgPredictorParameterSpecs } from './predictor.ts'

/** Sizes of a model in pre-training. */
export interface EcgPretrainingConfig {
  readonly encoder: EcgJepaConfig
  readonly predictor: EcgPredictorConfig
}

/** The data of one self-supervised step. */
export interface EcgPretrainingBatch {
  /** Two batches with the same key have the same graph. */
  readonly key: string
  /** What the graph is fed with, by name. */
  readonly inputs: Readonly<Record<string, HostTensor>>
  /**
   * The loss of the step (ECG-JEPA, section 3): smooth L1 (beta 1, mean) between the predictions and the target
   * encoder's normalised tokens of the hidden patches.
   *
   * Gradients belong to `encoder.` and `predictor.` alone; `target_encoder.` follows by `updateTargetEncoder`.
   *
   * @param weights names as in the official model: `encoder.…`, `target_encoder.…`, `predictor.…`
   */
  loss<T>(ops: Ops<T>, weights: Weights<T>, inputs: (name: string) => T): JepaLoss<T>
}

/** The loss and what it compares. */
export interface JepaLoss<T> {
  /** A scalar. */
  readonly loss: T
  /** [N * leads, hidden, embedDim] */
  readonly prediction: T
  /** [N * leads, hidden, embedDim] */
  readonly target: T
  /** [N, leads * visible, embedDim] */
  readonly context: T
}

const targetNormEpsilon = 1e-5

/**
 * Prepares a self-supervised step: the visible patches are picked here, so that the graph depends on how many are hidden
 * but not on which.
 *
 * @throws ENCODERS_ECG_SHAPE when an ECG is not [leads, samples]
 */
export function ecgPretrainingBatch(
  config: EcgPretrainingConfig,
  items: readonly PreparedEcg[],
  mask: PatchMask,
): EcgPretrainingBatch {
  const { encoder } = config
  const { numLeads, numPatches, patchSize } = encoder
  const ecg = stackEcgs(encoder, items)
  const { visible, masked } = mask
  const visiblePatches = new Float32Array(items.length * numLeads * visible.length * patchSize)
  const rows = Array.from({ length: items.length * numLeads }, (_, row) => row * numPatches)
  rows.forEach((start, row) =>
    visible.forEach((patch, i) => {
      const samples = ecg.subarray((start + patch) * patchSize, (start + patch + 1) * patchSize)
      visiblePatches.set(samples, (row * visible.length + i) * patchSize)
    }),
  )
  const leadRows = rows.slice(0, numLeads).flatMap(start => visible.map(patch => start + patch))
  const hiddenRows = rows.flatMap(start => masked.map(patch => start + patch))
  return {
    key: `ecg pretraining ${items.length} ${masked.length}`,
    inputs: {
      ecg: { dtype: 'float32', shape: [items.length, numLeads, numPatches * patchSize], data: ecg },
      visiblePatches: {
        dtype: 'float32',
        shape: [items.length, numLeads * visible.length, patchSize],
        data: visiblePatches,
      },
      visiblePositions: int32(leadRows),
      hiddenTokens: int32(hiddenRows),
      order: int32([...visible, ...masked]),
    },
    loss: (ops, weights, input) => jepaLoss(ops, weights, config, input),
  }
}

function int32(values: readonly number[]): HostTensor {
  return { dtype: 'int32', shape: [values.length], data: Int32Array.from(values) }
}

function jepaLoss<T>(
  ops: Ops<T>,
  weights: Weights<T>,
  config: EcgPretrainingConfig,
  input: (name: string) => T,
): JepaLoss<T> {
  const { encoder } = config
  const layers = weightLayers(ops, weights)
  const own = scopeLayers(layers, 'encoder.')
  const positions = ops.gatherRows(own.weight('pos_embed'), input('visiblePositions'))
  const context = encodePatches(ops, own, encoder, input('visiblePatches'), positions, encoder.numLeads)
  const prediction = ecgPredictor(ops, scopeLayers(layers, 'predictor.'), config, context, input('order'))
  const all = ecgJepaEncoder(ops, scopeLayers(layers, 'target_encoder.'), encoder, input('ecg'))
  const tokens = ops.reshape(all, [ops.shape(all)[0]! * ops.shape(all)[1]!, encoder.embedDim])
  const hidden = ops.layerNorm(ops.gatherRows(tokens, input('hiddenTokens')), undefined, undefined, targetNormEpsilon)
  const target = ops.reshape(hidden, ops.shape(prediction))
  return { loss: smoothL1(ops, prediction, target), prediction, target, context }
}

/** Mean over all elements of d²/2 where |d| < 1 and |d| − 1/2 elsewhere. */
function smoothL1<T>(ops: Ops<T>, a: T, b: T): T {
  const distance = ops.abs(ops.sub(a, b))
  const near = ops.minimum(distance, ops.constant(1))
  const terms = ops.mul(near, ops.sub(distance, ops.mul(near, ops.constant(0.5))))
  return ops.mean(terms, { axis: ops.shape(terms).map((_, axis) => axis) })
}

function scoped(prefix: string, specs: readonly ParameterSpec[]): ParameterSpec[] {
  return specs.map(spec => ({ ...spec, name: prefix + spec.name }))
}

/** Parameters of a model in pre-training: encoder, predictor, and the target encoder, which is not trained. */
export function ecgPretrainingParameterSpecs({ encoder, predictor }: EcgPretrainingConfig): ParameterSpec[] {
  const own = ecgJepaParameterSpecs(encoder)
  return [
    ...scoped('encoder.', own),
    ...scoped('predictor.', ecgPredictorParameterSpecs(encoder, predictor)),
    ...scoped(
      'target_encoder.',
      own.map(spec => ({ ...spec, isTrainable: false })),
    ),
  ]
}

/**
 * Draws the initial values of a model in pre-training; the target encoder begins as a copy of the encoder.
 *
 * @param random uniform in [0, 1)
 */
export function initialEcgPretraining(config: EcgPretrainingConfig, random: () => number): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>()
  for (const spec of ecgPretrainingParameterSpecs(config)) {
    const source = values.get(spec.name.replace(/^target_/, ''))
    values.set(spec.name, source?.slice() ?? initialValues(spec, random))
  }
  return values
}

/** The target encoder's momentum at a step: from 0.996 to 1 in equal steps over the training (the official schedule). */
export function targetMomentum(step: number, totalSteps: number): number {
  const first = 0.996
  return first + ((1 - first) * Math.min(step, totalSteps)) / totalSteps
}

/**
 * Moves the target encoder towards the encoder after an update: target = momentum * target + (1 − momentum) * encoder.
 *
 * @param values weights by name as in `ecgPretrainingParameterSpecs`; those of `target_encoder.` change in place
 */
export function updateTargetEncoder(
  config: EcgJepaConfig,
  values: (name: string) => Float32Array,
  momentum: number,
): void {
  for (const { name } of ecgJepaParameterSpecs(config))
    updateMovingAverage(values(`target_encoder.${name}`), values(`encoder.${name}`), momentum)
}
