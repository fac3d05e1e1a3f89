// Attention of one decode step over a cache, in the three designs that ONNX Runtime allows, one layer after the other:
//   node --conditions=@qoq-med/source packages/model/bench/cache-designs.bench.ts [tiny | smollm2] [batches = 1,8,32]
import { encodeModel, sizeOf, type OnnxModel, type OnnxNode, type OnnxValue } from '@qoq-med/tensor'
import { InferenceSession, Tensor } from 'onnxruntime-node'

const shapes = {
  tiny: { layers: 6, heads: 8, kvHeads: 4, headDim: 32 },
  smollm2: { layers: 30, heads: 9, kvHeads: 3, headDim: 64 },
} as const
const [name = 'tiny', batches = '1,8,32'] = process.argv.slice(2)
const { layers, heads, kvHeads, headDim } = shapes[name as keyof typeof shapes]
const past = 192
const queryWidth = heads * headDim
const scaled = { transB: 1, alpha: { float: headDim ** -0.5 } }

type Node = (
  type: string,
  inputs: readonly string[],
  attributes?: OnnxNode['attributes'],
  domain?: 'com.microsoft',
) => string

/** Records the attention of one layer; the new token's queries, keys and values are inputs. */
interface Design {
  readonly inputs: (batch: number) => readonly OnnxValue[]
  /** Further outputs of a layer, written over the cache. */
  readonly keepsCache?: boolean
  readonly layer: (node: Node, at: number, q: string) => string
}

const value = (valueName: string, shape: number[], dtype: 'float32' | 'int32' = 'float32'): OnnxValue => ({
  name: valueName,
  dtype,
  shape,
})
const parts = { axis: 3 }
const designs: Record<string, Design> = {
  'two parts': {
    inputs: batch => [value('mask', [batch, 1, 1, past])],
    layer: (node, at, q) => {
      const cached = node('Add', [node('FusedMatMul', [q, `keys.${at}`], scaled, 'com.microsoft'), 'mask'])
      const scores = node('Concat', [cached, node('FusedMatMul', [q, 'k'], scaled, 'com.microsoft')], parts)
      const probabilities = node('Softmax', [scores], { axis: -1 })
      const fromPast = node('MatMul', [node('Slice', [probabilities, 'zero', 'minusOne', 'three']), `values.${at}`])
      const fromOwn = node('MatMul', [node('Slice', [probabilities, 'minusOne', 'end', 'three']), 'v'])
      return node('Add', [fromPast, fromOwn])
    },
  },
  concatenation: {
    inputs: batch => [value('mask', [batch, 1, 1, past + 1])],
    layer: (node, at, q) => {
      const [keys, values] = [`keys.${at}`, `values.${at}`]
      const all = node('Concat', [keys, 'k'], { axis: 2 })
      const scores = node('Add', [node('FusedMatMul', [q, all], scaled, 'com.microsoft'), 'mask'])
      return node('MatMul', [node('Softmax', [scores], { axis: -1 }), node('Concat', [values, 'v'], { axis: 2 })])
    },
  },
  GroupQueryAttention: {
    inputs: batch => [value('lengths', [batch], 'int32'), value('total', [1], 'int32')],
    keepsCache: true,
    layer: (node, at, q) => {
      const attributes = { num_heads: heads, kv_num_heads: kvHeads, scale: scaled.alpha }
      const row = node('Reshape', [q, 'row'])
      const cache = [`keys.${at}`, `values.${at}`]
      const attended = node(
        'GroupQueryAttention',
        [row, 'k', 'v', ...cache, 'lengths', 'total'],
        attributes,
        'com.microsoft',
      )
      return node('Reshape', [attended, 'heads'])
    },
  },
}

function modelOf({ inputs, keepsCache = false, layer }: Design, batch: number): OnnxModel {
  const nodes: OnnxNode[] = []
  const caches = Array.from({ length: layers }, (_, at) => [`keys.${at}`, `values.${at}`]).flat()
  const cacheShape = [batch, kvHeads, past, headDim]
  const node: Node = (type, from, attributes = {}, domain) => {
    const at = nodes.filter(each => each.type === 'GroupQueryAttention').length
    const present = type === 'GroupQueryAttention' ? [`new.keys.${at}`, `new.values.${at}`] : []
    const output = `t${nodes.length}`
    nodes.push({ type, inputs: from, outputs: [output, ...present], attributes, ...(domain && { domain }) })
    return output
  }
  let q = 'q'
  for (let at = 0; at < layers; at++) q = layer(node, at, q)
  nodes.push({ type: 'Identity', inputs: [q], outputs: ['y'] })
  const own = keepsCache ? [batch, 1, kvHeads * headDim] : [batch, kvHeads, 1, headDim]
  const grouped = [batch, kvHeads, heads / kvHeads, headDim]
  const constants = {
    zero: [0],
    minusOne: [-1],
    three: [3],
    end: [2 ** 31],
    row: [batch, 1, queryWidth],
    heads: grouped,
  }
  return {
    nodes,
    inputs: [
      value('q', grouped),
      value('k', own),
      value('v', own),
      ...inputs(batch),
      ...caches.map(each => value(each, cacheShape)),
    ],
    outputs: [value('y', grouped), ...(keepsCache ? caches.map(each => value(`new.${each}`, cacheShape)) : [])],
    initializers: Object.entries(constants).map(([constant, numbers]) => ({
      name: constant,
      dtype: 'int64',
      shape: [numbers.length],
      data: BigInt64Array.from(numbers, BigInt),
    })),
  }
}

/** Least and middle time of a run in ms; a cache that is an output too has the same memory as the input. */
async function timed(model: OnnxModel): Promise<{ leastMs: string; middleMs: string }> {
  const settings = {
    executionMode: 'sequential',
    intraOpNumThreads: 2,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  } as const
  const session = await InferenceSession.create(encodeModel(model), settings)
  const feeds = Object.fromEntries(
    model.inputs.map(({ name: input, dtype, shape }) => {
      const size = sizeOf(shape)
      const floats = Float32Array.from({ length: size }, (_, i) => (input === 'mask' ? 0 : Math.sin(i)))
      const number = input === 'total' ? past : past - 1
      return [
        input,
        dtype === 'int32'
          ? new Tensor('int32', new Int32Array(size).fill(number), shape)
          : new Tensor('float32', floats, shape),
      ]
    }),
  )
  const fetches = Object.fromEntries(
    model.outputs.map(output => [output.name, feeds[output.name.replace('new.', '')] ?? null]),
  )
  const times: number[] = []
  for (let round = -5; round < 60; round++) {
    const started = performance.now()
    await session.run(feeds, fetches)
    if (round >= 0) times.push(performance.now() - started)
  }
  await session.release()
  times.sort((a, b) => a - b)
  return { leastMs: times[0]!.toFixed(2), middleMs: times[times.length >> 1]!.toFixed(2) }
}

for (const batch of batches.split(',').map(Number)) {
  const rows: Record<string, object> = {}
  for (const [design, description] of Object.entries(designs)) rows[design] = await timed(modelOf(description, batch))
  console.log(`${name}, batch ${batch}, ${past} cached tokens, ${layers} layers`)
  console.table(rows)
}
