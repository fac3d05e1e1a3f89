import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  compileGraph,
  createOrtExecutor,
  gradients,
  Graph,
  graphOps,
  memoryModes,
  type MemoryMode,
  type OrtExecutor,
  type StoredMatrix,
  type Tensor,
} from '../src/index.ts'

let executor: OrtExecutor
let folder: string
beforeAll(async () => {
  executor = await createOrtExecutor({ threads: 1 })
  folder = await mkdtemp(join(tmpdir(), 'qoq-stored-'))
})
afterAll(async () => {
  await executor.close()
  await rm(folder, { recursive: true })
})

const types = ['float32', 'bfloat16', 'int8', 'int4'] as const
type StoredType = (typeof types)[number]

/** Pseudo-random bytes, always the same. */
function bytes(count: number, seed: number): Uint8Array {
  let state = seed
  return Uint8Array.from({ length: count }, () => (state = (state * 1103515245 + 12345) % 2 ** 31) >>> 16)
}

/** Rows, length of a row, and the weights that share a scale: 32, where it does not say. */
type Size = readonly [outer: number, inner: number, block?: number]

/** A matrix as a file holds it, byte by byte, and its weights by the definition of its type. */
function storedFile(type: StoredType, [outer, inner, block = 32]: Size, seed: number) {
  const blocks = Math.ceil(inner / block)
  const random = bytes(4 * outer * blocks * block, seed)
  const scales = Float32Array.from({ length: outer * blocks }, (_, i) => (random[i]! - 100) / 4096)
  const at = (row: number, column: number): number => row * blocks * block + column
  const weight = (row: number, column: number): number => {
    const scale = scales[row * blocks + Math.floor(column / block)]!
    if (type === 'int8') return scale * (random[at(row, column)]! - 128)
    const pair = random[at(row, column) >> 1]!
    if (type === 'int4') return scale * ((column % 2 === 0 ? pair & 15 : pair >> 4) - 8)
    const value = (random[row * inner + column]! - 127) / 256
    return type === 'float32' ? value : Math.sign(value) * 2 ** Math.floor(Math.log2(Math.abs(value) || 1)) // one bit
  }
  const weights = Float64Array.from({ length: outer * inner }, (_, i) => weight(Math.floor(i / inner), i % inner))
  const wide = Float32Array.from(weights)
  const upperHalves = new Uint16Array(wide.buffer).filter((_, i) => i % 2 === 1)
  const codes = random.slice(0, (outer * blocks * block) / (type === 'int4' ? 2 : 1))
  const values = { float32: wide, bfloat16: upperHalves, int8: codes, int4: codes }[type]
  return { values: new Uint8Array(values.buffer), scales: new Uint8Array(scales.buffer), weights, blocks }
}

const wave = (count: number, step: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(step * i))

const sum = (count: number, of: (i: number) => number): number =>
  Array.from({ length: count }, (_, i) => of(i)).reduce((a, b) => a + b, 0)

const grid = (count: number, width: number, of: (row: number, column: number) => number) =>
  Array.from({ length: count * width }, (_, i) => of(Math.floor(i / width), i % width))

/** Puts matrices into one file; each begins at a page. */
async function written(name: string, type: StoredType, sizes: readonly Size[]) {
  const files = sizes.map((size, i) => storedFile(type, size, 7 + i))
  let end = 0
  const pieces: { readonly start: number; readonly data: Uint8Array }[] = []
  const place = (data: Uint8Array) => {
    const start = Math.ceil(end / 4096) * 4096
    pieces.push({ start, data })
    end = start + data.length
    return { location: name, offsetBytes: start, lengthBytes: data.length }
  }
  const places = files.map(({ values, scales }) => ({ values: place(values), scales: place(scales) }))
  const file = new Uint8Array(end)
  for (const { start, data } of pieces) file.set(data, start)
  await writeFile(join(folder, name), file)
  const dtype = { float32: 'float32', bfloat16: 'bfloat16', int8: 'uint8', int4: 'uint4' }[type] as Tensor['dtype']
  const matrixOf = (graph: Graph, at: number): StoredMatrix<Tensor> => {
    const [outer, inner, block = 32] = sizes[at]!
    const { blocks } = files[at]!
    const isCoded = dtype.startsWith('uint')
    const values = graph.external(
      places[at]!.values,
      { shape: [outer, isCoded ? blocks * block : inner], dtype },
      false,
    )
    const scales = graph.external(places[at]!.scales, { shape: [outer, blocks], dtype: 'float32' }, false)
    return { values, inner, ...(isCoded && { scales }) }
  }
  return { weights: files.map(each => each.weights), matrixOf }
}

describe.for(types)('a product with a matrix that is stored as %s', type => {
  test.for([
    { name: 'whole blocks', inner: 64 },
    { name: 'rows that end in a block', inner: 44 },
    { name: 'blocks of 64', inner: 100, block: 64 },
    { name: 'blocks of 128', inner: 300, block: 128 },
  ])('is that with its weights, and so is its gradient: $name', async ({ inner, block = 32 }) => {
    const [rows, outer] = [3, 6]
    const { weights, matrixOf } = await written(`${type}-${inner}.bin`, type, [[outer, inner, block]])
    const graph = new Graph()
    const ops = graphOps(graph)
    const [x, bias, dy] = [
      graph.input('x', [rows, inner]),
      graph.input('bias', [outer]),
      graph.input('dy', [rows, outer]),
    ]
    const matrix = matrixOf(graph, 0)
    const y = ops.storedLinear(x, matrix, bias)
    graph.output('y', y)
    graph.output('wide', ops.widen(matrix))
    gradients(graph, ops.sum(ops.mul(y, dy), { axis: [0, 1] }), [x, bias]).forEach((each, i) =>
      graph.output(['dx', 'dbias'][i]!, each),
    )
    const feeds = { x: wave(rows * inner, 1), bias: wave(outer, 2), dy: wave(rows * outer, 3) }
    const program = await compileGraph(executor, graph, { dataFolder: folder })
    const got = await program.run(feeds)
    await program.close()
    const w = (row: number, column: number): number => weights[0]![row * inner + column]!
    const near = (name: string, want: readonly number[]) =>
      want.forEach((value, i) => expect(Math.abs(Number(got[name]![i]) - value), `${name} ${i}`).toBeLessThan(1e-4))
    near(
      'y',
      grid(rows, outer, (r, o) => feeds.bias[o]! + sum(inner, i => feeds.x[r * inner + i]! * w(o, i))),
    )
    near(
      'dx',
      grid(rows, inner, (r, i) => sum(outer, o => feeds.dy[r * outer + o]! * w(o, i))),
    )
    near(
      'dbias',
      grid(1, outer, (_, o) => sum(rows, r => feeds.dy[r * outer + o]!)),
    )
    // A weight itself is widened without an error.
    expect(got['wide']).toEqual(Float32Array.from(weights[0]!))
  })

  test('lies beside constants of any size', async () => {
    const { weights, matrixOf } = await written(`${type}-beside.bin`, type, [[2, 32]])
    const graph = new Graph()
    const ops = graphOps(graph)
    const y = ops.storedLinear(graph.input('x', [1, 32]), matrixOf(graph, 0))
    const large = graph.constant(new Float32Array(2 ** 18 + 8).fill(2), [2 ** 18 + 8], 'float32')
    graph.output('y', ops.mul(y, ops.slice(large, 0, 2 ** 18, 2 ** 18 + 2)))
    const program = await compileGraph(executor, graph, { dataFolder: folder, simplify: false })
    const { y: got } = await program.run({ x: new Float32Array(32).fill(1) })
    await program.close()
    const want = [0, 1].map(
      row => 2 * weights[0]!.subarray(32 * row, 32 * (row + 1)).reduce((total, w) => total + w, 0),
    )
    want.forEach((value, i) => expect(Math.abs(Number(got![i]) - value)).toBeLessThan(1e-4))
  })

  test.for(memoryModes)('is never in memory as a whole model in float32: %s', async (memory: MemoryMode) => {
    if (process.platform !== 'linux') return // the peak is told there alone
    const [side, depth, rows] = [1024, 24, 4]
    const { matrixOf } = await written(`${type}-deep.bin`, type, [[side, side]])
    const graph = new Graph()
    const ops = graphOps(graph)
    const scale = graph.input('scale', [side])
    let x = ops.mul(graph.input('x', [rows, side]), scale)
    for (let layer = 0; layer < depth; layer++) x = ops.tanh(ops.storedLinear(x, matrixOf(graph, 0)))
    const loss = ops.sum(x, { axis: [0, 1] })
    graph.output('loss', loss)
    graph.output('gradient', gradients(graph, loss, [scale])[0]!)
    const feeds = { x: new Float32Array(rows * side).fill(0.01), scale: new Float32Array(side).fill(1) }
    const program = await compileGraph(executor, graph, { dataFolder: folder, memory, segmentBytes: 2 ** 18 })
    await writeFile('/proc/self/clear_refs', '5') // the peak begins anew
    const before = await memoryOf('RssAnon')
    const mappedBefore = await memoryOf('RssFile')
    await program.run(feeds)
    const [peak, mapped] = [await memoryOf('VmHWM'), await memoryOf('RssFile')]
    await program.close()
    // All weights in float32 are 100 MB, twice that with the backward pass; two at a time are 8.
    expect(peak - before - Math.max(mapped, mappedBefore)).toBeLessThan(50e6)
  })
})

async function memoryOf(name: string): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8')
  return 1024 * Number(new RegExp(String.raw`^${name}:\s+(\d+)`, 'm').exec(status)![1])
}
