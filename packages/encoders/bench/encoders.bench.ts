// Speed of the encoders' graphs: node --conditions=@qoq-med/source packages/encoders/bench/encoders.bench.ts
import {
  compileGraph,
  createOrtExecutor,
  gradients,
  Graph,
  graphOps,
  type Ops,
  type Tensor,
  type TypedArray,
} from '@qoq-med/tensor'
import { weightLayers } from '../src/layers.ts'
import { crossPatternAttention } from '../src/ecg-jepa/cross-pattern.ts'
import {
  createEcgEncoder,
  createVisionEncoder,
  defaultImageProcessor,
  initialValues,
  nanoEcgJepa,
  nanoVision,
  type EncoderBatch,
  type ParameterSpec,
} from '../src/index.ts'
import { smallestMs } from './smallest-time.ts'

const executor = await createOrtExecutor({ threads: 2 })

/** Times a graph forward, then forward and backward with respect to `parameters`. */
async function timeGraph(
  build: (graph: Graph, feeds: Record<string, TypedArray>) => { y: Tensor; parameters: readonly Tensor[] },
): Promise<string> {
  const times: string[] = []
  for (const isBackward of [false, true]) {
    const graph = new Graph()
    const feeds: Record<string, TypedArray> = {}
    const { y, parameters } = build(graph, feeds)
    const ops = graphOps(graph)
    const loss = ops.sum(ops.mul(y, y), { axis: y.shape.map((_, axis) => axis) })
    if (isBackward) gradients(graph, loss, parameters).forEach((gradient, i) => graph.output(`d${i}`, gradient))
    else graph.output('y', y)
    const program = await compileGraph(executor, graph)
    times.push(`${(await smallestMs(25, () => program.run(feeds))).toFixed(1)} ms`)
    await program.close()
  }
  return `forward ${times[0]}, with backward ${times[1]}`
}

function encoderGraph(batch: EncoderBatch, specs: readonly ParameterSpec[]): ReturnType<typeof timeGraph> {
  return timeGraph((graph, feeds) => {
    const parameters = new Map<string, Tensor>()
    for (const spec of specs) {
      feeds[spec.name] = initialValues(spec, Math.random)
      parameters.set(spec.name, graph.input(spec.name, spec.shape))
    }
    const ops = graphOps(graph)
    const y = batch.forward(
      ops,
      weightLayers(ops, name => parameters.get(name)!), // specs name them all
      name => {
        const tensor = batch.inputs[name]! // forward asks for its own inputs
        feeds[name] = tensor.data
        return graph.input(name, tensor.shape, tensor.dtype)
      },
    )
    return { y, parameters: [...parameters.values()] }
  })
}

/** The same attention as one product under a mask, for comparison. */
function maskedAttention(ops: Ops<Tensor>, leads: number, times: number) {
  const tokens = leads * times
  const mask = Float32Array.from({ length: tokens ** 2 }, (_, i) => {
    const [q, k] = [Math.floor(i / tokens), i % tokens]
    return Math.floor(q / times) === Math.floor(k / times) || q % times === k % times ? 0 : -1e9
  })
  return (q: Tensor, k: Tensor, v: Tensor): Tensor => {
    const [batch, heads, , headDim] = ops.shape(q) as [number, number, number, number] // [N, heads, tokens, headDim]
    const queries = ops.reshape(q, [batch, heads, 1, tokens, headDim])
    return ops.attention(queries, k, v, { mask: ops.constant(mask, [tokens, tokens]), scale: headDim ** -0.5 })
  }
}

for (const shape of [
  [8, 4, 8 * 20, 16],
  [8, 4, 8 * 50, 16],
  [4, 16, 8 * 50, 48],
])
  for (const [name, attention] of Object.entries({
    'by leads and times': crossPatternAttention,
    masked: maskedAttention,
  })) {
    const times = await timeGraph((graph, feeds) => {
      const parameters = ['q', 'k', 'v'].map(input => graph.input(input, shape))
      for (const input of ['q', 'k', 'v'])
        feeds[input] = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.random() - 0.5)
      const [q, k, v] = parameters as [Tensor, Tensor, Tensor] // three names
      return { y: attention(graphOps(graph), 8, shape[2]! / 8)(q, k, v), parameters }
    })
    console.log(`cross-pattern attention [${shape.join(', ')}] ${name}: ${times}`)
  }

for (const patchSize of [125, 50]) {
  const config = { ...nanoEcgJepa, patchSize, numPatches: 2500 / patchSize }
  const encoder = createEcgEncoder({ config, hiddenSize: 128, pooling: 8 })
  const ecg = { signalMv: Float32Array.from({ length: 20_000 }, () => Math.random() - 0.5), missingLeads: [] }
  const batch = encoder.batch(Array.from({ length: 8 }, () => ecg))
  console.log(
    `nano ECG-JEPA, 8 x ${2500 / patchSize} patches, 8 ECGs: ${await encoderGraph(batch, encoder.parameters)}`,
  )
}
for (const side of [112, 168]) {
  const processor = { ...defaultImageProcessor, maxPixels: side * side }
  const encoder = createVisionEncoder({ config: nanoVision(128), processor })
  const image = { width: 200, height: 200, data: new Uint8Array(120_000).map(() => Math.random() * 255) }
  const batch = encoder.batch(Array.from({ length: 8 }, () => encoder.preprocess(image)))
  console.log(`nano vision, 8 images of ${side} x ${side}: ${await encoderGraph(batch, encoder.parameters)}`)
}
await executor.close()
