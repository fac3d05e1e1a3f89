import { createOps } from '../ops/create-ops.ts'
import type { TableOps } from '../ops/definition.ts'
import { opDefinition } from '../ops/table.ts'
import type { TypedArray } from '../graph/tensor.ts'
import { float16ToFloat32 } from '../half-precision.ts'
import type { Dense, DenseData } from './dense.ts'

/** Operations on plain numbers in float64: slow, dependency-free, and the oracle of the tests. */
export const denseOps: TableOps<Dense> = createOps<Dense>({
  typeOf: x => x,
  constant: (data, shape, dtype) => ({ shape, dtype, data: denseData(data) }),
  apply: (op, inputs, attributes = {}) => {
    const definition = opDefinition(op)
    definition.infer(inputs, attributes) // refuses operands that do not fit
    return definition.reference(inputs, attributes)
  },
})

/** Widens floats to the float64 that dense values hold. */
export function denseData(data: TypedArray): DenseData {
  if (data instanceof Uint16Array) return Float64Array.from(data, float16ToFloat32)
  return data instanceof Float32Array ? Float64Array.from(data) : data
}
