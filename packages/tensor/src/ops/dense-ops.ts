import { createOps } from './create-ops.ts'
import type { TableOps } from './definition.ts'
import { opDefinition } from './table.ts'
import { denseData, type Dense } from '../dense.ts'

/** Operations on plain numbers in float64: slow, dependency-free, and the oracle of the tests. */
export const denseOps: TableOps<Dense> = createOps<Dense>({
  typeOf: x => x,
  constant: (data, shape, dtype) => ({ shape, dtype, data: denseData(data) }),
  apply: (op, inputs, attributes) => {
    const definition = opDefinition(op)
    definition.infer(inputs, attributes) // refuses operands that do not fit
    return definition.reference(inputs, attributes)
  },
})
