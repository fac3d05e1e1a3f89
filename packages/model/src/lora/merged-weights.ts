import type { LoraAdapters, LoraTarget } from './lora-adapters.ts'

/** Weights of a model with its adapters folded in. */
export interface MergedWeights {
  /** A weight by its checkpoint name: merged where it is a target, else the base's. */
  readonly weights: (name: string) => Float32Array
  /** Merges again, in place, after the factors have changed. */
  refresh(): void
}

/**
 * Folds adapters into the layers that they adapt: W + scale · B A. The base is left as it is; a target takes its size in
 * memory once more.
 *
 * @param weights base weights and factors by name
 */
export function mergedWeights(
  { targets, scale }: LoraAdapters,
  weights: (name: string) => Float32Array,
): MergedWeights {
  const merged = new Map(
    Array.from(targets.values(), ({ weight, inputs, outputs }) => [
      weight,
      new Float32Array(new SharedArrayBuffer(4 * inputs * outputs)),
    ]),
  )
  const refresh = (): void => {
    for (const [name, values] of merged) mergeInto(values, targets.get(name)!, scale, weights) // a key of targets
  }
  refresh()
  return { weights: name => merged.get(name) ?? weights(name), refresh }
}

/** One target with its factors folded in. @param weights the target's own values and its factors, by name */
export function mergedWeight(
  { targets, scale }: LoraAdapters,
  name: string,
  weights: (name: string) => Float32Array,
): Float32Array {
  const target = targets.get(name)! // the caller asks for targets
  const values = new Float32Array(target.inputs * target.outputs)
  mergeInto(values, target, scale, weights)
  return values
}

/** Sums a row in float64 and rounds it once. A row without an update keeps its bits. */
function mergeInto(
  values: Float32Array,
  { weight, down, up, inputs, outputs }: LoraTarget,
  scale: number,
  weights: (name: string) => Float32Array,
): void {
  const [base, a, b] = [weights(weight), weights(down), weights(up)]
  const rank = b.length / outputs
  const row = new Float64Array(inputs)
  for (let output = 0; output < outputs; output++) {
    row.set(base.subarray(output * inputs, (output + 1) * inputs))
    for (let k = 0; k < rank; k++) {
      const factor = scale * b[output * rank + k]!
      if (factor !== 0) for (let i = 0; i < inputs; i++) row[i]! += factor * a[k * inputs + i]!
    }
    values.set(row, output * inputs)
  }
}
