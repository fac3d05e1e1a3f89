import type { Graph } from './graph.ts'

/**
 * Names of a graph's values, the same in ONNX nodes, in `describeGraph` and in errors: inputs and computed outputs have
 * their own; the rest are numbered behind a tilde, apart from theirs.
 */
export function valueNames(graph: Graph): (id: number) => string {
  const fixed = new Map(graph.constants.map(({ tensor }) => [tensor.id, `~c${tensor.id}`]))
  for (const { name, tensor } of graph.inputs) fixed.set(tensor.id, name)
  for (const [name, tensor] of graph.outputs) if (!fixed.has(tensor.id)) fixed.set(tensor.id, name)
  return id => fixed.get(id) ?? `~t${id}`
}
