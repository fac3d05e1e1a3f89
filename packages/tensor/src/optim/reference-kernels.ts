import type { AdamWFactors, OptimKernels } from './kernels.ts'

const { fround, sqrt } = Math

/**
 * The optimizer's loops in plain TypeScript: the definition that the WebAssembly kernels must match bit for bit. Each
 * operation is rounded to float32 once; the sum of squares is float64.
 */
export const referenceKernels: OptimKernels = {
  /**
   * Loshchilov and Hutter, "Decoupled weight decay regularization" (AdamW), in PyTorch's order of operations:
   *
   *     g = scale × gradient          m = m + (g − m)(1 − β₁)          v = β₂ v + (1 − β₂) g²
   *     w = w (1 − rate × decay) − (rate / (1 − β₁ᵗ)) m / (√v / √(1 − β₂ᵗ) + ε)
   */
  adamw: (weights, gradients, first, second, factors) => {
    const { scale, oneMinusBeta1, beta2, oneMinusBeta2, keep, rate, correction, epsilon } = rounded(factors)
    for (let i = 0; i < weights.length; i++) {
      const gradient = fround(gradients[i]! * scale)
      const m = fround(first[i]! + fround(fround(gradient - first[i]!) * oneMinusBeta1))
      const v = fround(fround(second[i]! * beta2) + fround(fround(gradient * gradient) * oneMinusBeta2))
      const denominator = fround(fround(fround(sqrt(v)) * correction) + epsilon)
      first[i] = m
      second[i] = v
      weights[i] = fround(weights[i]! * keep) - fround(fround(m * rate) / denominator)
    }
  },

  sumOfSquares: x => {
    const sums = new Float64Array(4)
    for (let i = 0; i < x.length; i++) sums[i % 4]! += x[i]! * x[i]!
    return sums[0]! + sums[1]! + (sums[2]! + sums[3]!)
  },

  scale: (x, factor) => {
    for (let i = 0; i < x.length; i++) x[i]! *= fround(factor)
  },

  movingAverage: (average, x, decay) => {
    const [kept, rest] = [fround(decay), fround(1 - decay)]
    for (let i = 0; i < x.length; i++) average[i] = fround(average[i]! * kept) + fround(x[i]! * rest)
  },
}

function rounded(factors: AdamWFactors): AdamWFactors {
  return {
    scale: fround(factors.scale),
    oneMinusBeta1: fround(factors.oneMinusBeta1),
    beta2: fround(factors.beta2),
    oneMinusBeta2: fround(factors.oneMinusBeta2),
    keep: fround(factors.keep),
    rate: fround(factors.rate),
    correction: fround(factors.correction),
    epsilon: fround(factors.epsilon),
  }
}
