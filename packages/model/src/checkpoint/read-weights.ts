import { nearestName } from '@qoq-med/errors'
import { modelErrors } from '../errors.ts'
import type { StoredTensor, TensorSource } from './tensor-source.ts'
import { canonicalName, isUnused } from './weight-names.ts'

/** A weight that a model needs, by its name here. */
export interface WeightShape {
  readonly name: string
  readonly shape: readonly number[]
}

/** Where each weight lies in a checkpoint. */
export type WeightPlan = ReadonlyMap<string, { readonly storedName: string } & StoredTensor>

/**
 * Matches a checkpoint's tensors with the weights that a config asks for, before any is read. Old and new prefixes are the
 * same to it. Every tensor is used, is on the list of `unusedTensors`, or is an error.
 *
 * @param unused beginnings of names that the caller has no use for
 * @throws MODEL_TENSOR_MISSING, MODEL_TENSOR_UNEXPECTED, MODEL_TENSOR_SHAPE
 */
export function planWeights(
  source: TensorSource,
  wanted: readonly WeightShape[],
  unused: readonly { readonly prefix: string }[] = [],
): WeightPlan {
  const shapes = new Map(wanted.map(({ name, shape }) => [name, shape]))
  const plan = new Map<string, { storedName: string } & StoredTensor>()
  for (const [storedName, stored] of source.tensors) {
    const name = canonicalName(storedName)
    const expected = shapes.get(name)
    if (expected === undefined) {
      if (isUnused(name, stored.shape, shapes) || unused.some(({ prefix }) => storedName.startsWith(prefix))) continue
      const nearest = nearestName(name, [...shapes.keys()])
      throw modelErrors.TENSOR_UNEXPECTED({ source: source.source, tensor: storedName, shape: stored.shape, nearest })
    }
    if (stored.shape.join() !== expected.join()) {
      const { shape: found } = stored
      throw modelErrors.TENSOR_SHAPE({ source: source.source, tensor: storedName, expected, found })
    }
    // Two prefixes of one name: which of the two would count?
    if (plan.has(name)) {
      const { shape } = stored
      throw modelErrors.TENSOR_UNEXPECTED({
        source: source.source,
        tensor: storedName,
        shape,
        nearest: plan.get(name)!.storedName,
      })
    }
    plan.set(name, { storedName, ...stored })
  }
  const [missing, ...others] = wanted.filter(({ name }) => !plan.has(name))
  if (missing === undefined) return plan
  const { name: tensor, shape } = missing
  throw modelErrors.TENSOR_MISSING({ source: source.source, tensor, shape, others: others.length })
}

/**
 * Reads all planned weights as float32.
 *
 * @param target gives the array [size] that a weight is read into, such as a view of a parameter store
 */
export async function readWeights(
  source: TensorSource,
  plan: WeightPlan,
  target: (name: string) => Float32Array,
): Promise<void> {
  for (const [name, { storedName }] of plan) await source.readFloat32(storedName, target(name))
}

/** Reads one planned weight as float32. */
export function readWeight(source: TensorSource, plan: WeightPlan, name: string): Promise<Float32Array> {
  return source.readFloat32(plan.get(name)!.storedName) // the plan has every weight of the model
}

/** Reads rows of a planned weight as float32, from row `start` on, into `target` [rows * size of a row]. */
export async function readWeightRows(
  source: TensorSource,
  plan: WeightPlan,
  name: string,
  { start, target }: { readonly start: number; readonly target: Float32Array },
): Promise<void> {
  const { storedName, shape } = plan.get(name)! // the plan has every weight of the model
  if (source.readRows) return source.readRows(storedName, start, target)
  const rowSize = shape.slice(1).reduce((size, length) => size * length, 1)
  const whole = await source.readFloat32(storedName)
  target.set(whole.subarray(start * rowSize, start * rowSize + target.length))
}
