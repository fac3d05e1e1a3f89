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
      "createOrtExecutor",
      "createParameterStore",
      "createTfjsExecutor",
      "dense",
      "denseIndices",
      "denseOps",
      "describeGraph",
      "encodeModel",
      "evaluateGraph",
      "gradientNorm",
      "gradients",
      "graphCost",
      "graphOps",
      "isMatrix",
      "linearSchedule",
      "simplifyGraph",
      "sizeOf",
      "tensorErrors",
      "toOnnx",
      "updateMovingAverage",
    ]
  `)
})
