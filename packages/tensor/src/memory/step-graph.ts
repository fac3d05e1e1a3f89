import { Graph } from '../graph/graph.ts'
import type { Tensor, TypedArray } from '../graph/tensor.ts'
import type { Step } from './plan.ts'

/** A step as a graph of its own. Inputs and outputs are numbered, so that equal layers have equal graphs. */
export interface StepGraph {
  readonly graph: Graph
  /** The value that each input takes. */
  readonly inputs: ReadonlyMap<string, Tensor>
  /** The value that each kept output writes. */
  readonly kept: ReadonlyMap<string, Tensor>
  /** The output of the whole graph that each further output is. */
  readonly outputs: ReadonlyMap<string, string>
  /** Equal keys have equal graphs. */
  readonly key: string
}

/** Makes steps of a graph into graphs; one builder per whole graph, since keys compare constants by identity. */
export function createStepGraphs({ constants, externals }: Graph): (step: Step) => StepGraph {
  const stored = new Map(constants.map(constant => [constant.tensor.id, constant]))
  const mapped = new Map(externals.map(external => [external.tensor.id, external]))
  const numbers = new Map<TypedArray, number>()
  const numberOf = (data: TypedArray): number => numbers.get(data) ?? numbers.set(data, numbers.size).size - 1
  return ({ nodes, kept, outputs }) => {
    const graph = new Graph()
    const inputs = new Map<string, Tensor>()
    const placed = new Map<number, Tensor>()
    const place = (tensor: Tensor): Tensor => {
      const known = placed.get(tensor.id)
      if (known) return known
      const [constant, external] = [stored.get(tensor.id), mapped.get(tensor.id)]
      const fed = (): Tensor => {
        const name = `i${inputs.size}`
        inputs.set(name, tensor)
        return graph.input(name, tensor.shape, tensor.dtype)
      }
      const value = constant
        ? graph.constant(constant.data, tensor.shape, tensor.dtype)
        : external
          ? graph.external(external.place, tensor, external.isFoldable)
          : fed()
      placed.set(tensor.id, value)
      return value
    }
    for (const node of nodes) {
      const results = graph.record(node.op, node.inputs.map(place), node.attributes, node.outputs)
      node.outputs.forEach(({ id }, i) => placed.set(id, results[i]!))
    }
    const named = <Value>(values: readonly Value[], prefix: string, tensorOf: (value: Value) => Tensor) =>
      new Map(
        values.map((value, i) => {
          graph.output(`${prefix}${i}`, place(tensorOf(value)))
          return [`${prefix}${i}`, value] as const
        }),
      )
    const keptNames = named(kept, 'k', tensor => tensor)
    const outputNames = named([...outputs.keys()], 'o', name => outputs.get(name)!)
    const contents = graph.constants.map(({ data }) => (data.length > 16 ? numberOf(data) : [...data].join()))
    const values = [...graph.constants, ...graph.externals].map(({ tensor }) => tensor)
    const places = graph.externals.map(({ place: where }) => where)
    const shape = [graph.inputs, graph.nodes, [...graph.outputs], values, contents, places]
    return { graph, inputs, kept: keptNames, outputs: outputNames, key: JSON.stringify(shape) }
  }
}
