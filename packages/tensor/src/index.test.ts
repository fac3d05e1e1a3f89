import { expect, test } from 'vitest'
import * as tensor from './index.ts'

test('the public names of tensor', () => {
  expect(Object.keys(tensor).toSorted()).toMatchInlineSnapshot(`
    [
      "Graph",
      "clipGradientNorm",
      "clippingScale",
      "compileGraph",
      "constantSchedule",
      "cosineSchedule",
      "createAdamW",
      "createExecutor",
      "createOrtExecutor",
      "createParameterStore",
      "createTfjsExecutor",
      "dense",
      "denseIndices",
      "denseOps",
      "describeGraph",
      "deviceAliases",
      "encodeModel",
      "evaluateGraph",
      "executorDevices",
      "float16ToFloat32",
      "float32ToBfloat16",
      "float32ToFloat16",
      "gradientNorm",
      "gradients",
      "graphCost",
      "graphOps",
      "isMatrix",
      "linearSchedule",
      "memoryModes",
      "narrowFloat16",
      "simplifyGraph",
      "sizeOf",
      "tensorErrors",
      "toOnnx",
      "updateMovingAverage",
      "widenBfloat16",
      "widenFloat16",
    ]
  `)
})
