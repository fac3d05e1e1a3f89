import {
  compileGraph,
  denseOps,
  Graph,
  graphOps,
  type Dense,
  type Executor,
  type Tensor,
  type TypedArray,
} from '@qoq-med/tensor'
import { constantInputs, type EncoderBatch, type HostTensor } from '../src/encoder.ts'
import { weightLayers } from '../src/layers.ts'

/** Parameters by checkpoint name. */
export type Parameters = (name: string) => HostTensor

/** Runs a batch in plain float64 arithmetic. */
export function runDense(batch: EncoderBatch, parameters: Parameters): ArrayLike<number> {
  const weights = (name: string): Dense => {
    const { shape, data } = parameters(name)
    return denseOps.constant(data as Float32Array, shape) // parameters are floats
  }
  return batch.forward(denseOps, weightLayers(denseOps, weights), constantInputs(denseOps, batch)).data as Float64Array // a float by its type
}

/** The graph of a batch: its inputs are fed, and so are the parameters that it asks for. */
export function batchGraph(
  batch: EncoderBatch,
  parameters: Parameters,
): { graph: Graph; output: Tensor; weights: ReadonlyMap<string, Tensor>; feeds: Record<string, TypedArray> } {
  const graph = new Graph()
  const feeds: Record<string, TypedArray> = {}
  const inputs = new Map<string, Tensor>()
  const declare = (name: string, { shape, dtype, data }: HostTensor): Tensor => {
    const known = inputs.get(name)
    if (known) return known
    const tensor = graph.input(name, shape, dtype)
    inputs.set(name, tensor)
    feeds[name] = data
    return tensor
  }
  const weights = new Map<string, Tensor>()
  const ops = graphOps(graph)
  const layers = weightLayers(ops, name => {
    const tensor = declare(name, parameters(name))
    weights.set(name, tensor)
    return tensor
  })
  const output = batch.forward(ops, layers, name => declare(name, batch.inputs[name]!))
  return { graph, output, weights, feeds }
}

/** Runs a batch with ONNX Runtime. */
export async function runOrt(executor: Executor, batch: EncoderBatch, parameters: Parameters): Promise<Float32Array> {
  const { graph, output, feeds } = batchGraph(batch, parameters)
  graph.output('output', output)
  const program = await compileGraph(executor, graph)
  const results = await program.run(feeds)
  await program.close()
  return results['output'] as Float32Array // declared as float32
}
