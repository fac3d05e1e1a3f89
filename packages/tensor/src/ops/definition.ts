import type { Dense } from '../dense.ts'
import type { GraphNode } from '../graph/graph.ts'
import type { Tensor, TensorType } from '../graph/tensor.ts'
import type { AttributesOf, NoAttributes, OpName } from './op-attributes.ts'
import type { OnnxScope } from './onnx-scope.ts'
import type { Ops } from './ops.ts'
import type { Tf, TfTensor } from './tf.ts'

/** `Ops` that can also apply a row of the operation table by name: what gradient rules and composites are written in. */
export interface TableOps<T> extends Ops<T> {
  /** Applies an operation of the table; answers all its results. */
  apply<Name extends OpName>(op: Name, inputs: readonly T[], ...attributes: AttributesOf<Name>): readonly T[]
}

/** One application, as a gradient rule sees it; `dy` is the gradient of the loss with respect to the first result. */
export interface VjpCall<A> {
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  readonly attributes: A
  readonly dy: Tensor
  /** Which operands need a gradient; a rule may leave out the others. */
  readonly wanted: readonly boolean[]
}

/** Two gradients of one value, as the rule of the operation that made `own` sees them. */
export interface SumCall<A> {
  readonly own: Tensor
  /** The operands of the operation that made it. */
  readonly inputs: readonly Tensor[]
  readonly attributes: A
  readonly other: Tensor
  /** What made the other one; none makes an input or a constant. */
  readonly otherNode: GraphNode | undefined
}

/** One application, as the emitter sees it. An output that nobody reads has the name ''. */
export interface EmitCall<A> {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly inputTypes: readonly TensorType[]
  readonly outputTypes: readonly TensorType[]
  readonly attributes: A
}

/**
 * Everything the engine knows about an operation. Only the first result carries a gradient; further results are
 * by-products (probabilities, inverse deviations) that the gradient rule or a metric reads.
 *
 * Methods, not function properties: a row with narrower attributes must fit into the table.
 */
export interface OpDefinition<A extends object = object> {
  /** The types of the results; throws `TENSOR_SHAPE` when the operands do not fit. */
  infer(inputs: readonly TensorType[], attributes: A): readonly TensorType[]
  /** Writes the ONNX nodes. */
  emit(onnx: OnnxScope, call: EmitCall<A>): void
  /** Computes it with TensorFlow.js; intermediate tensors are freed by the caller, and no operand may be answered as it is. */
  tfjs(tf: Tf, inputs: readonly TfTensor[], attributes: A): readonly TfTensor[]
  /** Gradients with respect to the operands (vector-Jacobian product); absent where no gradient can flow. */
  vjp?(ops: TableOps<Tensor>, call: VjpCall<A>): readonly (Tensor | undefined)[]
  /**
   * Adds another gradient to one that this operation made for less than an addition of both; undefined where it cannot. Absent:
   * never.
   */
  addGradients?(ops: TableOps<Tensor>, call: SumCall<A>): Tensor | undefined
  /** Whether the result is the memory of the first operand in another shape. */
  readonly isView?: boolean
  /** Whether it is a product of matrices: too costly to compute again in the `saved` mode of memory. */
  readonly isProduct?: boolean
  /** Additions and multiplications of the forward pass, roughly; absent: one per element of the first result. */
  flops?(inputs: readonly TensorType[], attributes: A): number
  /** The same in plain float64 arithmetic: the oracle of the tests. */
  reference(inputs: readonly Dense[], attributes: A): readonly Dense[]
}

/** Types a row of the table by its attributes. */
export function defineOp<A extends object = NoAttributes>(definition: OpDefinition<A>): OpDefinition<A> {
  return definition
}
