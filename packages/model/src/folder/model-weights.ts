import { initialValues } from '@qoq-med/encoders'
import { createParameterStore, sizeOf, type ParameterStore } from '@qoq-med/tensor'
import { counterStream } from '../generation/counter-random.ts'
import { openModel, type OpenModelOptions } from './open-model.ts'
import type { PolicyModel } from '../composition/policy-model.ts'

/** A model with its weights. */
export interface WeightedModel {
  readonly model: PolicyModel
  readonly store: ParameterStore
}

/** Which parameters get gradients and moments in the store. */
export interface TrainableOptions {
  /** Default: all that the model trains; fixed tables never. */
  readonly trainable?: (name: string) => boolean
}

/**
 * Draws random weights for a model: normal matrices, zero biases, norms of one. A parameter's values depend on the seed and
 * its place alone.
 *
 * @throws TENSOR_STORE_TOO_LARGE
 */
export function initialiseModel(model: PolicyModel, seed: number, options: TrainableOptions = {}): WeightedModel {
  const store = storeFor(model, options)
  for (const [index, spec] of model.parameters.entries()) {
    store.weights(spec.name).set(initialValues(spec, counterStream(seed, index)))
  }
  return { model, store }
}

/** Reads a model folder with all its weights. @throws as `openModel`, and TENSOR_STORE_TOO_LARGE */
export async function loadModel(
  folder: string,
  options: OpenModelOptions & TrainableOptions = {},
): Promise<WeightedModel> {
  const opened = await openModel(folder, options)
  try {
    const store = storeFor(opened.model, options)
    await opened.readWeights(name => store.weights(name))
    return { model: opened.model, store }
  } finally {
    await opened.close()
  }
}

/** A model whose weights do not train. */
export interface FrozenModel {
  readonly model: PolicyModel
  /** A weight by its name, on shared memory of its own. */
  readonly weights: (name: string) => Float32Array
}

/**
 * Reads a model folder to answer and score with. Each weight has memory of its own, so that a model may be larger than a
 * parameter store (4 GiB): 4 bytes per parameter, whatever the type in the files.
 *
 * @throws as `openModel`
 */
export async function loadFrozenModel(folder: string, options: OpenModelOptions = {}): Promise<FrozenModel> {
  const opened = await openModel(folder, options)
  try {
    const arrays = new Map(
      opened.model.parameters.map(({ name, shape }) => [
        name,
        new Float32Array(new SharedArrayBuffer(4 * sizeOf(shape))),
      ]),
    )
    const weights = (name: string): Float32Array => arrays.get(name)! // every parameter has one
    await opened.readWeights(weights)
    return { model: opened.model, weights }
  } finally {
    await opened.close()
  }
}

function storeFor({ parameters }: PolicyModel, { trainable = () => true }: TrainableOptions): ParameterStore {
  const fixed = new Set(parameters.filter(spec => !spec.isTrainable).map(spec => spec.name))
  return createParameterStore(parameters, { trainable: name => !fixed.has(name) && trainable(name) })
}
