import { createOps } from './create-ops.ts'
import type { TableOps } from './definition.ts'
import { opDefinition } from './table.ts'
import type { Attributes, Graph } from '../graph/graph.ts'
import type { Tensor } from '../graph/tensor.ts'

/** Operations that record into a graph: pass them to a layer to get the layer's graph. */
export function graphOps(graph: Graph): TableOps<Tensor> {
  return createOps<Tensor>({
    typeOf: x => x,
    constant: (data, shape, dtype) => graph.constant(data, shape, dtype),
    apply: (op, inputs, attributes) =>
      graph.record(op, inputs, attributes as Attributes, opDefinition(op).infer(inputs, attributes)), // an object with named fields
  })
}
