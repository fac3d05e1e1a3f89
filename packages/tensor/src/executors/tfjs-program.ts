import { float16ToFloat32 } from '../half-precision.ts'
import { tensorErrors } from '../errors.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import type { TypedArray } from '../graph/tensor.ts'
import { valueNames } from '../graph/value-names.ts'
import { opDefinition } from '../ops/table.ts'
import type { Tf, TfTensor } from '../ops/tf.ts'
import { checkRun } from './check-run.ts'
import type { Port, Program } from './executor.ts'
import type { LoadedTfjs } from './tfjs-backends.ts'

/** Tensors by the id of the graph's value. */
type Values = Map<number, TfTensor>

/**
 * Makes a program that interprets a graph. Constants stay in TensorFlow.js until it is closed; every other tensor is freed
 * after its last reader.
 */
export function createTfjsProgram({ tf, activate }: LoadedTfjs, graph: Graph, onClose: () => void): Program {
  const inputs: readonly Port[] = graph.inputs.map(({ name, tensor: { dtype, shape } }) => ({ name, dtype, shape }))
  const outputs: readonly Port[] = [...graph.outputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))
  activate()
  const constants: Values = new Map(
    graph.constants.map(({ tensor, data }) => [tensor.id, tensorOf(tf, { ...tensor, data })]),
  )
  let isClosed = false
  return {
    inputs,
    outputs,
    run: async (feeds, options = {}) => {
      if (isClosed) throw tensorErrors.CLOSED({ what: 'program' })
      const { fetch, into, accumulate, ...checked } = checkRun(inputs, outputs, feeds, options)
      activate()
      const fed: Values = new Map(
        graph.inputs.map(({ name, tensor }) => [tensor.id, tensorOf(tf, checked.feeds[name]!)]),
      )
      const wanted = new Set([...fetch, ...Object.keys(into), ...Object.keys(accumulate)])
      const results = interpret(tf, graph, { constants, fed, wanted })
      for (const [name, { data }] of Object.entries(into)) data.set(results.get(name) as never) // checkRun compared the types
      for (const [name, sums] of Object.entries(accumulate)) addTo(sums, results.get(name) as Float32Array) // by checkRun
      return Object.fromEntries(fetch.map(name => [name, results.get(name)!]))
    },
    close: async () => {
      if (!isClosed) for (const tensor of constants.values()) tensor.dispose()
      isClosed = true
      onClose()
    },
  }
}

interface Interpretation {
  readonly constants: Values
  /** Values of the inputs; freed here. */
  readonly fed: Values
  /** Names of the outputs to compute. */
  readonly wanted: ReadonlySet<string>
}

/** Computes the wanted outputs; nothing but the constants is left in TensorFlow.js, also after an error. */
function interpret(tf: Tf, graph: Graph, { constants, fed, wanted }: Interpretation): Map<string, TypedArray> {
  const outputs = new Map([...graph.outputs].filter(([name]) => wanted.has(name)))
  const { nodes, values: read } = graph.liveNodes(outputs)
  const kept = new Set([...outputs.values()].map(({ id }) => id))
  const last = lastReaders(nodes)
  const values: Values = new Map(fed)
  const free = (id: number): void => {
    values.get(id)?.dispose()
    values.delete(id)
  }
  try {
    nodes.forEach((node, at) => {
      const operands = node.inputs.map(({ id }) => values.get(id) ?? constants.get(id)!)
      applied(tf, graph, node, operands).forEach((tensor, i) => values.set(node.outputs[i]!.id, tensor))
      for (const { id } of node.outputs) if (!read.has(id)) free(id)
      for (const { id } of node.inputs) if (last.get(id) === at && !kept.has(id)) free(id)
    })
    return new Map(
      [...outputs].map(([name, { id }]) => [name, (values.get(id) ?? constants.get(id)!).dataSync().slice()]),
    )
  } finally {
    for (const id of values.keys()) free(id)
  }
}

function applied(tf: Tf, graph: Graph, node: GraphNode, operands: readonly TfTensor[]): readonly TfTensor[] {
  try {
    return tf.tidy(() => opDefinition(node.op).tfjs(tf, operands, node.attributes))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const name = `${valueNames(graph)(node.outputs[0]!.id)} (${node.op})`
    throw tensorErrors.RUNTIME_FAILED(
      { runtime: 'TensorFlow.js', action: 'run the program', node: name, reason },
      { cause },
    )
  }
}

/** The position of the last node that reads each value. */
function lastReaders(nodes: readonly GraphNode[]): ReadonlyMap<number, number> {
  return new Map(nodes.flatMap(({ inputs }, at) => inputs.map(({ id }) => [id, at] as const)))
}

function tensorOf(
  tf: Tf,
  { data, shape, dtype }: { data: TypedArray; shape: readonly number[]; dtype: string },
): TfTensor {
  // TensorFlow.js has no bytes but those of truth values, and no half precision.
  if (dtype === 'uint8' || dtype === 'int8')
    return tf.tensor(Int32Array.from(data as Uint8Array | Int8Array), shape, 'int32') // arrays of bytes by their types
  if (dtype === 'float16') return tf.tensor(Float32Array.from(data as Uint16Array, float16ToFloat32), shape, 'float32')
  return tf.tensor(data as Exclude<TypedArray, BigInt64Array | Uint16Array | Int8Array>, shape, dtype) // a graph's values are never int64
}

function addTo(sums: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += values[i]!
}
