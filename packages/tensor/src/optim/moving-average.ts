import { tensorErrors } from '../errors.ts'
import { memoryOf } from '../web-assembly.ts'
import { kernelsOf, type FlatRange } from './kernels.ts'
import { referenceKernels } from './reference-kernels.ts'

/** Elements of a WebAssembly vector. */
const LANES = 4

/**
 * Moves an exponential average towards new values, in place: average = decay × average + (1 − decay) × values. The
 * target encoder of a self-supervised model follows its encoder so. Parameters of one store are moved in WebAssembly,
 * with the same bits.
 *
 * @param average [N] changed in place
 * @param values [N]
 * @param decay share of the old average that stays, in [0, 1]
 * @throws TENSOR_SHAPE when the lengths differ
 */
export function updateMovingAverage(average: Float32Array, values: Float32Array, decay: number): void {
  if (average.length !== values.length) {
    const reason = `the average has ${average.length} elements and the values ${values.length}`
    throw tensorErrors.SHAPE({ op: 'updateMovingAverage', reason })
  }
  const isAlike = average.buffer === values.buffer && isAligned(average) && isAligned(values)
  const memory = isAlike ? memoryOf(average.buffer) : undefined
  const vectors = memory ? average.length - (average.length % LANES) : 0
  if (memory) kernelsOf(memory).movingAverage(part(average, 0, vectors), part(values, 0, vectors), decay)
  referenceKernels.movingAverage(part(average, vectors), part(values, vectors), decay)
}

function isAligned({ byteOffset }: Float32Array): boolean {
  return byteOffset % (LANES * Float32Array.BYTES_PER_ELEMENT) === 0
}

/** A range; the reference takes any, the kernel only those on its memory. */
function part(array: Float32Array, start: number, end = array.length): FlatRange {
  return array.subarray(start, end) as FlatRange // on shared memory where the kernel gets it
}
