import { createOps } from '../ops/create-ops.ts'
import type { TableOps } from '../ops/definition.ts'
import { opDefinition } from '../ops/table.ts'
import type { Attributes, Graph } from './graph.ts'
import type { Tensor } from './tensor.ts'

/** Operations that record into a graph: pass them to a layer to get the layer's graph. */
export function graphOps(graph: Graph): TableOps<Tensor> {
  return createOps<Tensor>({
    typeOf: x => x,
    constant: (data, shape, dtype) => graph.constant(data, shape, dtype),
    apply: (op, inputs, attributes = {}) =>
      graph.record(op, inputs, attributes as Attributes, opDefinition(op).infer(inputs, attributes)), // an object with named fields
  })
}
