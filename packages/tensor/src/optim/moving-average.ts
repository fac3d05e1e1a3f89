import { tensorErrors } from '../errors.ts'

/**
 * Moves an exponential average towards new values, in place: average = decay × average + (1 − decay) × values. The
 * target encoder of a self-supervised model follows its encoder so.
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
  for (let i = 0; i < average.length; i++) average[i] = decay * average[i]! + (1 - decay) * values[i]!
}
