import type { Graph } from '../graph/graph.ts'
import { valueNames } from '../graph/value-names.ts'
import { bytesPerElement, sizeOf, type DType, type Tensor, type TypedArray } from '../graph/tensor.ts'
import { opDefinition } from '../ops/table.ts'
import type { OnnxInitializer, OnnxModel, OnnxNode, OnnxValue } from './onnx-model.ts'
import type { OnnxScope } from '../ops/onnx-scope.ts'

/**
 * Emits a graph as an ONNX model: the nodes its outputs depend on, in order. Inputs and outputs keep their names; an
 * input that no node reads stays, so that the same feeds fit.
 */
export function toOnnx(graph: Graph): OnnxModel {
  const { nodes: live, values } = graph.liveNodes()
  const names = valueNames(graph)
  const nodes: OnnxNode[] = []
  const valueOf = (tensor: Tensor): OnnxValue => ({ ...tensor, name: names(tensor.id) })
  const isLive = ({ tensor }: { readonly tensor: Tensor }): boolean => values.has(tensor.id)
  const externals = graph.externals.filter(isLive)
  const initializers: OnnxInitializer[] = [
    ...graph.constants.filter(isLive).map(({ tensor, data }) => ({ ...valueOf(tensor), data })),
    ...externals.map(({ tensor, place }) => ({ ...valueOf(tensor), external: place })),
  ]
  const scope = createScope(nodes, initializers)
  for (const { op, inputs, outputs, attributes } of live) {
    opDefinition(op).emit(scope, {
      inputs: inputs.map(input => names(input.id)),
      outputs: outputs.map(output => (values.has(output.id) ? names(output.id) : '')),
      inputTypes: inputs,
      outputTypes: outputs,
      attributes,
    })
  }
  for (const [name, tensor] of graph.outputs) {
    if (names(tensor.id) !== name) nodes.push({ type: 'Identity', inputs: [names(tensor.id)], outputs: [name] })
  }
  return {
    nodes,
    initializers,
    inputs: [
      ...graph.inputs.map(({ name, tensor: { dtype, shape } }) => ({ name, dtype, shape })),
      // What may be fed instead is no constant: the runtime neither folds nor packs it.
      ...externals.filter(({ isFoldable }) => !isFoldable).map(({ tensor }) => valueOf(tensor)),
    ],
    outputs: [...graph.outputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
  }
}

function createScope(nodes: OnnxNode[], initializers: OnnxInitializer[]): OnnxScope {
  const shared = new Map<string, string>()
  let count = 0
  return {
    node: (type, inputs, outputs, attributes, domain) => {
      nodes.push({ type, inputs, outputs, ...(attributes && { attributes }), ...(domain && { domain }) })
    },
    temporary: () => `~x${count++}`,
    constant: (data: TypedArray, shape: readonly number[], dtype: DType) => {
      const key = `${dtype}|${shape.join()}|${data.join()}`
      const known = shared.get(key)
      if (known) return known
      const name = `~k${shared.size}`
      shared.set(key, name)
      initializers.push({ name, dtype, shape, data })
      return name
    },
    filled: (byte, shape, dtype) => {
      const key = `${dtype}|${shape.join()}|all ${byte}`
      const known = shared.get(key)
      if (known) return known
      const name = `~k${shared.size}`
      shared.set(key, name)
      const data = new Uint8Array(Math.ceil(sizeOf(shape) * bytesPerElement[dtype])).fill(byte)
      initializers.push({ name, dtype, shape, data })
      return name
    },
  }
}
