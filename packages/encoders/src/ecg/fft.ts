import { butterflies, lastRadix4, type Stage } from './fft-butterflies.ts'

/** Largest prime that is transformed directly; lengths with larger ones go through Bluestein's convolution. */
const largestDirectFactor = 5
/** Plans kept for reuse: a data set has few lengths, and a plan is about as large as a signal. */
const maxCachedPlans = 16
/** Longer plans are made anew each time: they take megabytes and making them is the smaller part of the work. */
const maxCachedLength = 2 ** 17

/** The forward discrete Fourier transform of one length, X[k] = Σ x[n] exp(-2πi nk / length), in place. */
export interface FourierTransform {
  readonly length: number
  /** `re` and `im` [length] hold x before and X after. Swap them to get the inverse times `length`. */
  transform(re: Float64Array, im: Float64Array): void
}

const cache = new Map<number, FourierTransform>()

/**
 * Plans a transform of any length: mixed radix 4, 2, 3, 5 (the lengths of 10 s at usual rates), Bluestein's algorithm
 * otherwise. Our own, since ECG lengths such as 5,000 are no powers of two and padding them costs five times the time.
 */
export function fourierTransform(length: number): FourierTransform {
  const known = cache.get(length)
  if (known) return known
  const factors = factorsOf(length)
  const plan = factors ? mixedRadix(length, factors) : bluestein(length)
  if (length > maxCachedLength) return plan
  if (cache.size >= maxCachedPlans) cache.delete(cache.keys().next().value ?? 0)
  cache.set(length, plan)
  return plan
}

/** Factors 4, 2, 3, 5 of a length, or undefined where a larger prime remains. */
function factorsOf(length: number): number[] | undefined {
  const factors: number[] = []
  let rest = length
  for (const factor of [largestDirectFactor, 3, 4, 2]) {
    for (; rest % factor === 0; rest /= factor) factors.push(factor)
  }
  return rest === 1 ? factors : undefined
}

/** exp(-2πi m k stride / length) for every column k of a stage and m from 1, in the order in which the stage uses them. */
function rootsOf(length: number, { radix, columns, stride }: Omit<Stage, 'roots'>): Float64Array {
  const roots = new Float64Array(columns * (radix - 1) * 2)
  for (let k = 0, at = 0; k < columns; k++)
    for (let m = 1; m < radix; m++) {
      const angle = (-2 * Math.PI * m * k * stride) / length
      roots[at++] = Math.cos(angle)
      roots[at++] = Math.sin(angle)
    }
  return roots
}

interface Complex {
  readonly re: Float64Array
  readonly im: Float64Array
}

/** Stockham's self-sorting algorithm: each stage reads one buffer and writes the other. */
function mixedRadix(length: number, factors: readonly number[]): FourierTransform {
  const spareRe = new Float64Array(length)
  const spareIm = new Float64Array(length)
  const stages: Stage[] = []
  let remaining = length
  for (const radix of factors) {
    const place = { radix, columns: remaining / radix, stride: length / remaining }
    stages.push({ ...place, roots: rootsOf(length, place) })
    remaining /= radix
  }
  return {
    length,
    transform(re, im) {
      let from: Complex = { re, im }
      let to: Complex = { re: spareRe, im: spareIm }
      for (const stage of stages) {
        const isLast4 = stage.radix === 4 && stage.columns === 1
        const run = isLast4 ? lastRadix4 : butterflies[stage.radix]!
        run(from.re, from.im, to.re, to.im, stage)
        ;[from, to] = [to, from]
      }
      if (from.re === re) return
      re.set(spareRe)
      im.set(spareIm)
    },
  }
}

/** Any length as a circular convolution of a power of two: nk = (n² + k² − (k − n)²) / 2. */
function bluestein(length: number): FourierTransform {
  const padded = 2 ** Math.ceil(Math.log2(2 * length - 1))
  const inner = fourierTransform(padded)
  const chirpCos = new Float64Array(length)
  const chirpSin = new Float64Array(length)
  const filterRe = new Float64Array(padded)
  const filterIm = new Float64Array(padded)
  for (let n = 0, square = 0; n < length; n++) {
    const angle = (Math.PI * square) / length
    chirpCos[n] = Math.cos(angle)
    chirpSin[n] = -Math.sin(angle)
    filterRe[n] = filterRe[(padded - n) % padded] = Math.cos(angle)
    filterIm[n] = filterIm[(padded - n) % padded] = Math.sin(angle)
    square = (square + 2 * n + 1) % (2 * length) // (n + 1)², kept small so that the angle stays exact
  }
  inner.transform(filterRe, filterIm)
  const workRe = new Float64Array(padded)
  const workIm = new Float64Array(padded)
  return {
    length,
    transform(re, im) {
      workRe.fill(0)
      workIm.fill(0)
      for (let n = 0; n < length; n++) {
        workRe[n] = re[n]! * chirpCos[n]! - im[n]! * chirpSin[n]!
        workIm[n] = re[n]! * chirpSin[n]! + im[n]! * chirpCos[n]!
      }
      inner.transform(workRe, workIm)
      for (let k = 0; k < padded; k++) {
        const real = workRe[k]! * filterRe[k]! - workIm[k]! * filterIm[k]!
        workIm[k] = workRe[k]! * filterIm[k]! + workIm[k]! * filterRe[k]!
        workRe[k] = real
      }
      inner.transform(workIm, workRe) // inverse, times `padded`
      for (let k = 0; k < length; k++) {
        re[k] = (workRe[k]! * chirpCos[k]! - workIm[k]! * chirpSin[k]!) / padded
        im[k] = (workRe[k]! * chirpSin[k]! + workIm[k]! * chirpCos[k]!) / padded
      }
    },
  }
}
