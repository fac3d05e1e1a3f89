import { weightLayers, type Layers } from '@qoq-med/encoders'
import { narrowFloat16, sizeOf, type Graph, type Ops, type Tensor } from '@qoq-med/tensor'
import type { DecoderConfig } from '../decoder/decoder-config.ts'
import { storedBlockSize } from '../packed/block-size.ts'
import { roundBlocks } from '../packed/round-blocks.ts'

/** How the matrices of the decoder are kept for generation. */
export type WeightsType = 'float32' | 'float16' | 'int8' | 'int4'

/** Weights of a decoder by their checkpoint names. */
export interface NamedWeights {
  readonly values: (name: string) => Float32Array
  readonly shapes: ReadonlyMap<string, readonly number[]>
}

/** Layers whose weights are fed at every run: an update takes effect at once. `names` lists what the graph asked for. */
export function fedLayers(
  graph: Graph,
  ops: Ops<Tensor>,
  { shapes }: NamedWeights,
): Layers<Tensor> & { readonly names: ReadonlySet<string> } {
  const asked = new Map<string, Tensor>()
  const layers = weightLayers(ops, name => {
    const known = asked.get(name) ?? graph.input(name, shapes.get(name)!) // the shapes list every weight of the model
    asked.set(name, known)
    return known
  })
  return {
    ...layers,
    fused: (x, names, options) =>
      ops.concat(
        names.map(name => layers.linear(x, name, options)),
        -1,
      ),
    get names() {
      return new Set(asked.keys())
    },
  }
}

/** Layers whose weights are part of the program: the runtime lays them out for its kernels once. */
export function constantLayers(
  graph: Graph,
  ops: Ops<Tensor>,
  weights: NamedWeights,
  type: WeightsType,
): Layers<Tensor> {
  const linear = (x: Tensor, names: readonly string[], hasBias = false): Tensor =>
    joinedLinear(graph, ops, weights, { x, names, type, hasBias })
  return {
    weight: name => graph.constant(weights.values(name), weights.shapes.get(name)!, 'float32'),
    linear: (x, name, { hasBias } = {}) => linear(x, [name], hasBias),
    fused: (x, names, { hasBias } = {}) => linear(x, names, hasBias),
  }
}

/** Bytes that the packed matrices and vectors of a decoder take. */
export function packedBytes({ hiddenSize, vocabSize }: DecoderConfig, { shapes }: NamedWeights): number {
  const parameters = [...shapes].flatMap(([name, shape]) => (name.startsWith('model.layers.') ? [sizeOf(shape)] : []))
  return 4 * (parameters.reduce((sum, size) => sum + size, 0) + hiddenSize * vocabSize)
}

function joinedLinear(
  graph: Graph,
  ops: Ops<Tensor>,
  { values, shapes }: NamedWeights,
  { x, names, type, hasBias }: { x: Tensor; names: readonly string[]; type: WeightsType; hasBias: boolean },
): Tensor {
  const inner = shapes.get(`${names[0]!}.weight`)![1]!
  const matrix = joined(names.map(name => values(`${name}.weight`)))
  const outer = matrix.length / inner
  const bias = hasBias
    ? graph.constant(joined(names.map(name => values(`${name}.bias`))), [outer], 'float32')
    : undefined
  const y = roundedLinear(graph, ops, { x, matrix, shape: [outer, inner], type })
  if (y === undefined) return ops.linear(x, graph.constant(matrix, [outer, inner], 'float32'), bias)
  return bias === undefined ? y : ops.add(y, bias)
}

/** The product with rounded weights; none where they stay float32, as those do that the type cannot hold. */
function roundedLinear(
  graph: Graph,
  ops: Ops<Tensor>,
  {
    x,
    matrix,
    shape: [outer, inner],
    type,
  }: { x: Tensor; matrix: Float32Array; shape: readonly [number, number]; type: WeightsType },
): Tensor | undefined {
  if (type === 'float16') {
    const halves = narrowFloat16(matrix)
    return halves.every(isFiniteFloat16)
      ? ops.halfLinear(x, graph.constant(halves, [outer, inner], 'float16'))
      : undefined
  }
  if (type === 'float32' || inner < storedBlockSize) return undefined
  const bits = type === 'int4' ? 4 : 8
  const { codes, scales } = roundBlocks(matrix, inner, bits)
  const blocks = Math.ceil(inner / storedBlockSize)
  return ops.quantizedLinear(x, {
    packed: graph.constant(codes, [outer, blocks, 4 * bits], 'uint8'),
    scales: graph.constant(scales, [outer, blocks], 'float32'),
    bits,
  })
}

/** Whether 16 bits are a finite number in half precision. */
function isFiniteFloat16(bits: number): boolean {
  return (bits & 0x7c00) !== 0x7c00
}

/** One array is passed on as it is, which spares a copy of the vocabulary head. */
function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!
  const all = new Float32Array(new SharedArrayBuffer(4 * parts.reduce((sum, part) => sum + part.length, 0)))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
