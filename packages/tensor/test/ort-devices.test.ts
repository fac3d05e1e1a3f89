import { describe, expect, test } from 'vitest'
import { compileGraph, createExecutor, executorDevices, Graph, graphOps, type ExecutorDevice } from '../src/index.ts'

/** What asking for a device comes to: the code of the error, or what the device computes. */
async function exponentials(device: ExecutorDevice): Promise<string> {
  try {
    const executor = await createExecutor({ device, threads: 1 })
    const graph = new Graph()
    graph.output('y', graphOps(graph).exp(graph.input('x', [2])))
    const { y } = await (await compileGraph(executor, graph)).run({ x: Float32Array.of(0, 1) })
    await executor.close()
    return `computes ${[...y!].map(value => Number(value).toFixed(3)).join(' ')}`
  } catch (error) {
    return JSON.stringify(error)
  }
}

describe('a device', () => {
  test.for<ExecutorDevice>(['cpu', 'tfjs'])('%s computes everywhere', async device => {
    expect(executorDevices).toContain(device)
    expect(await exponentials(device)).toBe('computes 1.000 2.718')
  })

  test.for<[ExecutorDevice, string]>([
    ['webgpu', 'graphics driver'],
    ['cuda', 'cuDNN 9 and the CUDA'],
    ['coreml', 'macOS'],
    ['dml', 'Windows'],
  ])('%s computes, or is refused with what it needs', async ([device, needs]) => {
    const result = await exponentials(device)
    const refusal = new RegExp(`"code":"TENSOR_DEVICE_MISSING".*\\\\"${device}\\\\".*${needs}`)
    expect(result).toMatch(new RegExp(`^computes 1.000 2.718$|${refusal.source}`))
  })

  test.skipIf(process.platform !== 'linux').for<ExecutorDevice>(['coreml', 'dml'])(
    '%s is refused on Linux, where ONNX Runtime would quietly use the CPU (skipped elsewhere)',
    async device => {
      expect(await exponentials(device)).toContain('TENSOR_DEVICE_MISSING')
    },
  )
})
