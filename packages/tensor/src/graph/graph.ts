import { tensorErrors } from '../errors.ts'
import { sizeOf, type DType, type Tensor, type TensorType, type TypedArray } from './tensor.ts'

/** Settings of one node, such as an axis; each operation says which it reads. */
export type Attributes = Readonly<Record<string, unknown>>

/** One applied operation: names an entry of the operation table, its operands and its results. */
export interface GraphNode {
  readonly op: string
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  readonly attributes: Attributes
}

/** A value that is fed at every run. */
export interface GraphInput {
  readonly name: string
  readonly tensor: Tensor
}

/** A value that is stored in the graph. */
export interface GraphConstant {
  readonly tensor: Tensor
  readonly data: TypedArray
}

/** Where the bytes of a value lie: in a file beside the model. */
export interface ExternalPlace {
  /** The file's name, relative to the model's folder. */
  readonly location: string
  readonly offsetBytes: number
  readonly lengthBytes: number
}

/** A value that is stored in a file beside the graph, which the runtime maps. */
export interface GraphExternal {
  readonly tensor: Tensor
  readonly place: ExternalPlace
  /** Whether the runtime may compute with it while it loads, and keep the result. */
  readonly isFoldable: boolean
}

/** Constants up to this many elements are shared when they are equal. */
const sharedConstantSize = 16

/**
 * A program in static single assignment: inputs, constants, nodes in the order they were recorded, named outputs.
 * `graphOps(graph)` records into it, `gradients` differentiates it, `toOnnx` emits it, `evaluateGraph` interprets it.
 */
export class Graph {
  readonly inputs: GraphInput[] = []
  readonly constants: GraphConstant[] = []
  readonly externals: GraphExternal[] = []
  readonly nodes: GraphNode[] = []
  readonly outputs = new Map<string, Tensor>()
  #nextId = 0
  readonly #producers = new Map<number, GraphNode>()
  readonly #shared = new Map<string, Tensor>()

  /**
   * Declares a value that is fed at every run: a batch, or a parameter.
   *
   * @param shape a length of -1 is left open for each run. Operations pass it on as long as a value has one open length;
   *   a graph with open lengths is for inference: it has no gradients and no reference evaluation
   *
   * @throws TENSOR_NAME_TAKEN when the graph has an input of that name
   */
  input(name: string, shape: readonly number[], dtype: DType = 'float32'): Tensor {
    if (this.inputs.some(input => input.name === name)) throw tensorErrors.NAME_TAKEN({ kind: 'input', name })
    const tensor = this.#tensor({ shape, dtype })
    this.inputs.push({ name, tensor })
    return tensor
  }

  /**
   * Stores a value in the graph; small equal constants are one.
   *
   * @throws TENSOR_SHAPE when `data` does not fill `shape`
   */
  constant(data: TypedArray, shape: readonly number[], dtype: DType): Tensor {
    if (data.length !== sizeOf(shape)) {
      throw tensorErrors.SHAPE({ op: 'constant', reason: `${data.length} values cannot fill [${shape.join(', ')}]` })
    }
    const key = data.length <= sharedConstantSize ? `${dtype}|${shape.join()}|${exactText(data)}` : undefined
    const known = key === undefined ? undefined : this.#shared.get(key)
    if (known) return known
    const tensor = this.#tensor({ shape, dtype })
    this.constants.push({ tensor, data })
    if (key !== undefined) this.#shared.set(key, tensor)
    return tensor
  }

  /**
   * Refers to a value in a file: beside the model (`OrtExecutor.loadFile`), or in the folder that `ExecutorOptions` names.
   *
   * @param isFoldable false: the runtime reads it where it lies at every run, and keeps nothing that it computes of it. Default
   *   true: it may widen or pack it once, in memory of its own
   */
  external(place: ExternalPlace, type: TensorType, isFoldable = true): Tensor {
    const tensor = this.#tensor(type)
    this.externals.push({ tensor, place, isFoldable })
    return tensor
  }

  /** Records one operation whose results have the given types. Layers use `graphOps`, which infers them. */
  record(
    op: string,
    inputs: readonly Tensor[],
    attributes: Attributes,
    types: readonly TensorType[],
  ): readonly Tensor[] {
    const outputs = types.map(type => this.#tensor(type))
    const node = { op, inputs, outputs, attributes }
    this.nodes.push(node)
    for (const { id } of outputs) this.#producers.set(id, node)
    return outputs
  }

  /** The operation that made a value; none makes an input, a constant or an external value. */
  producer({ id }: Tensor): GraphNode | undefined {
    return this.#producers.get(id)
  }

  /**
   * Names a value as a result of the program.
   *
   * @throws TENSOR_NAME_TAKEN when the graph has an output of that name
   */
  output(name: string, tensor: Tensor): void {
    if (this.outputs.has(name)) throw tensorErrors.NAME_TAKEN({ kind: 'output', name })
    this.outputs.set(name, tensor)
  }

  /** The nodes that the outputs depend on, in order, and every value that is read; the others need not run. */
  liveNodes(outputs: ReadonlyMap<string, Tensor> = this.outputs): {
    nodes: readonly GraphNode[]
    values: ReadonlySet<number>
  } {
    const values = new Set([...outputs.values()].map(tensor => tensor.id))
    const nodes: GraphNode[] = []
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some(output => values.has(output.id))) continue
      for (const input of node.inputs) values.add(input.id)
      nodes.push(node)
    }
    return { nodes: nodes.toReversed(), values }
  }

  #tensor({ shape, dtype }: TensorType): Tensor {
    return { id: this.#nextId++, shape: [...shape], dtype }
  }
}

/** The numbers as text; 0 and -0, which print alike, stay two. */
function exactText(data: TypedArray): string {
  return [...data].map(value => (Object.is(value, -0) ? '-0' : String(value))).join()
}
