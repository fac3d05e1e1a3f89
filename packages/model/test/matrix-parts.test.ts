import { createOrtExecutor, Graph, graphOps, type OrtExecutor } from '@qoq-med/tensor'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writePackedFile } from '../src/packed/packed-file.ts'
import { packedLayers } from '../src/packed/packed-layers.ts'
import { packedLayout } from '../src/packed/packed-layout.ts'

/** Rows and inner size: the rows are no whole number of what a part has. */
const [rows, inner, tokens] = [1000, 96, 3]

let executor: OrtExecutor
let folder: string
beforeAll(async () => {
  executor = await createOrtExecutor()
  folder = await mkdtemp(join(tmpdir(), 'matrix-parts-'))
})
afterAll(async () => {
  await executor.close()
  await rm(folder, { recursive: true, force: true })
})

test.for([
  { kind: 'int4' },
  { kind: 'int4', blockSize: 64 },
  { kind: 'int4', blockSize: 128 },
  { kind: 'int8' },
  { kind: 'float32' },
] as const)('a matrix in parts multiplies as a whole one: %o', async form => {
  const layout = packedLayout([{ name: 'head.weight', shape: [rows, inner] }], new Map(), () => form)
  const file = `${JSON.stringify(form).replaceAll(/\W/g, '')}.bin`
  await writePackedFile(join(folder, file), layout, {
    readRows: async (_, start, target) => {
      for (let i = 0; i < target.length; i++) target[i] = Math.sin(start * inner + i)
    },
    readCodes: () => Promise.reject(new Error('nothing is stored in codes')),
  })
  const product = async (weightsAtOnce?: number): Promise<{ y: Float32Array; matrices: number }> => {
    const graph = new Graph()
    const ops = graphOps(graph)
    const layers = packedLayers(graph, ops, layout, file, weightsAtOnce ? { weightsAtOnce } : {})
    graph.output('y', layers.linear(graph.input('x', [tokens, inner]), 'head'))
    const program = await executor.compile(graph, { dataFolder: folder })
    const x = Float32Array.from({ length: tokens * inner }, (_, i) => Math.cos(i))
    const { y } = (await program.run({ x: { data: x, shape: [tokens, inner] } })) as { y: Float32Array } // its only output
    await program.close()
    const matrices = graph.nodes.filter(({ op }) => op === 'QuantizedLinear' || op === 'Gemm').length
    return { y, matrices }
  }
  const [whole, parts] = [await product(), await product(200 * inner)]
  expect([whole.matrices, parts.matrices]).toEqual([1, 4])
  expect(parts.y).toEqual(whole.y)
})
