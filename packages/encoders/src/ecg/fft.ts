/** Largest prime that is transformed directly; lengths with larger ones go through Bluestein's convolution. */
const largestDirectFactor = 5
/** Plans kept for reuse: a data set has few lengths, and a plan is about as large as a signal. */
const maxCachedPlans = 16

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
  if (cache.size >= maxCachedPlans) cache.delete(cache.keys().next().value ?? 0)
  cache.set(length, plan)
  return plan
}

/** Factors 4, 2, 3, 5 of a length, or undefined where a larger prime remains. */
function factorsOf(length: number): number[] | undefined {
  const factors: number[] = []
  let rest = length
  for (const factor of [4, 2, 3, largestDirectFactor]) {
    for (; rest % factor === 0; rest /= factor) factors.push(factor)
  }
  return rest === 1 ? factors : undefined
}

/** exp(-2πi k / length) for k below `length`. */
function rootsOfUnity(length: number): { cos: Float64Array; sin: Float64Array } {
  const angle = (k: number): number => (-2 * Math.PI * k) / length
  return {
    cos: Float64Array.from({ length }, (_, k) => Math.cos(angle(k))),
    sin: Float64Array.from({ length }, (_, k) => Math.sin(angle(k))),
  }
}

interface Complex {
  readonly re: Float64Array
  readonly im: Float64Array
}

/** Where a stage of Stockham's algorithm stands: `radix` sub-sequences of `columns` columns, `stride` rows apart. */
interface Stage {
  readonly radix: number
  readonly columns: number
  readonly stride: number
}

/** Stockham's self-sorting algorithm: each stage reads one buffer and writes the other. */
function mixedRadix(length: number, factors: readonly number[]): FourierTransform {
  const { cos, sin } = rootsOfUnity(length)
  const spareRe = new Float64Array(length)
  const spareIm = new Float64Array(length)
  const stages: Stage[] = []
  let remaining = length
  for (const radix of factors) {
    stages.push({ radix, columns: remaining / radix, stride: length / remaining })
    remaining /= radix
  }
  return {
    length,
    transform(re, im) {
      let from: Complex = { re, im }
      let to: Complex = { re: spareRe, im: spareIm }
      for (const stage of stages) {
        butterflies[stage.radix]!(from.re, from.im, to.re, to.im, cos, sin, stage)
        ;[from, to] = [to, from]
      }
      if (from.re === re) return
      re.set(spareRe)
      im.set(spareIm)
    },
  }
}

type Butterfly = (
  xr: Float64Array,
  xi: Float64Array,
  yr: Float64Array,
  yi: Float64Array,
  cos: Float64Array,
  sin: Float64Array,
  stage: Stage,
) => void

const radix2: Butterfly = (xr, xi, yr, yi, cos, sin, { columns, stride }) => {
  const half = columns * stride
  for (let k = 0; k < columns; k++) {
    const c = cos[k * stride]!
    const s = sin[k * stride]!
    for (let q = 0, a = k * stride, o = 2 * k * stride; q < stride; q++, a++, o++) {
      const ar = xr[a]!
      const ai = xi[a]!
      const br = xr[a + half]!
      const bi = xi[a + half]!
      yr[o] = ar + br
      yi[o] = ai + bi
      const dr = ar - br
      const di = ai - bi
      yr[o + stride] = dr * c - di * s
      yi[o + stride] = dr * s + di * c
    }
  }
}

const radix3: Butterfly = (xr, xi, yr, yi, cos, sin, { columns, stride }) => {
  const third = columns * stride
  const half3 = Math.sqrt(3) / 2
  for (let k = 0; k < columns; k++) {
    const c1 = cos[k * stride]!
    const s1 = sin[k * stride]!
    const c2 = cos[2 * k * stride]!
    const s2 = sin[2 * k * stride]!
    for (let q = 0, a = k * stride, o = 3 * k * stride; q < stride; q++, a++, o++) {
      const ar = xr[a]!
      const ai = xi[a]!
      const sr = xr[a + third]! + xr[a + 2 * third]!
      const si = xi[a + third]! + xi[a + 2 * third]!
      const dr = (xi[a + third]! - xi[a + 2 * third]!) * half3
      const di = (xr[a + 2 * third]! - xr[a + third]!) * half3
      yr[o] = ar + sr
      yi[o] = ai + si
      const mr = ar - sr / 2
      const mi = ai - si / 2
      const ur = mr + dr
      const ui = mi + di
      const vr = mr - dr
      const vi = mi - di
      yr[o + stride] = ur * c1 - ui * s1
      yi[o + stride] = ur * s1 + ui * c1
      yr[o + 2 * stride] = vr * c2 - vi * s2
      yi[o + 2 * stride] = vr * s2 + vi * c2
    }
  }
}

const radix4: Butterfly = (xr, xi, yr, yi, cos, sin, { columns, stride }) => {
  const quarter = columns * stride
  for (let k = 0; k < columns; k++) {
    const c1 = cos[k * stride]!
    const s1 = sin[k * stride]!
    const c2 = cos[2 * k * stride]!
    const s2 = sin[2 * k * stride]!
    const c3 = cos[3 * k * stride]!
    const s3 = sin[3 * k * stride]!
    for (let q = 0, a = k * stride, o = 4 * k * stride; q < stride; q++, a++, o++) {
      const er = xr[a]! + xr[a + 2 * quarter]!
      const ei = xi[a]! + xi[a + 2 * quarter]!
      const fr = xr[a]! - xr[a + 2 * quarter]!
      const fi = xi[a]! - xi[a + 2 * quarter]!
      const gr = xr[a + quarter]! + xr[a + 3 * quarter]!
      const gi = xi[a + quarter]! + xi[a + 3 * quarter]!
      const hr = xi[a + quarter]! - xi[a + 3 * quarter]!
      const hi = xr[a + 3 * quarter]! - xr[a + quarter]!
      yr[o] = er + gr
      yi[o] = ei + gi
      yr[o + stride] = (fr + hr) * c1 - (fi + hi) * s1
      yi[o + stride] = (fr + hr) * s1 + (fi + hi) * c1
      yr[o + 2 * stride] = (er - gr) * c2 - (ei - gi) * s2
      yi[o + 2 * stride] = (er - gr) * s2 + (ei - gi) * c2
      yr[o + 3 * stride] = (fr - hr) * c3 - (fi - hi) * s3
      yi[o + 3 * stride] = (fr - hr) * s3 + (fi - hi) * c3
    }
  }
}

const radix5: Butterfly = (xr, xi, yr, yi, cos, sin, { columns, stride }) => {
  const fifth = columns * stride
  const cosA = Math.cos((2 * Math.PI) / 5)
  const cosB = Math.cos((4 * Math.PI) / 5)
  const sinA = Math.sin((2 * Math.PI) / 5)
  const sinB = Math.sin((4 * Math.PI) / 5)
  for (let k = 0; k < columns; k++) {
    const w = k * stride
    for (let q = 0, a = w, o = 5 * w; q < stride; q++, a++, o++) {
      const ar = xr[a]!
      const ai = xi[a]!
      const s1r = xr[a + fifth]! + xr[a + 4 * fifth]!
      const s1i = xi[a + fifth]! + xi[a + 4 * fifth]!
      const d1r = xr[a + fifth]! - xr[a + 4 * fifth]!
      const d1i = xi[a + fifth]! - xi[a + 4 * fifth]!
      const s2r = xr[a + 2 * fifth]! + xr[a + 3 * fifth]!
      const s2i = xi[a + 2 * fifth]! + xi[a + 3 * fifth]!
      const d2r = xr[a + 2 * fifth]! - xr[a + 3 * fifth]!
      const d2i = xi[a + 2 * fifth]! - xi[a + 3 * fifth]!
      const m1r = ar + cosA * s1r + cosB * s2r
      const m1i = ai + cosA * s1i + cosB * s2i
      const m2r = ar + cosB * s1r + cosA * s2r
      const m2i = ai + cosB * s1i + cosA * s2i
      const n1r = sinA * d1i + sinB * d2i
      const n1i = sinA * d1r + sinB * d2r
      const n2r = sinB * d1i - sinA * d2i
      const n2i = sinB * d1r - sinA * d2r
      yr[o] = ar + s1r + s2r
      yi[o] = ai + s1i + s2i
      const u1r = m1r + n1r
      const u1i = m1i - n1i
      const u2r = m2r + n2r
      const u2i = m2i - n2i
      const u3r = m2r - n2r
      const u3i = m2i + n2i
      const u4r = m1r - n1r
      const u4i = m1i + n1i
      yr[o + stride] = u1r * cos[w]! - u1i * sin[w]!
      yi[o + stride] = u1r * sin[w]! + u1i * cos[w]!
      yr[o + 2 * stride] = u2r * cos[2 * w]! - u2i * sin[2 * w]!
      yi[o + 2 * stride] = u2r * sin[2 * w]! + u2i * cos[2 * w]!
      yr[o + 3 * stride] = u3r * cos[3 * w]! - u3i * sin[3 * w]!
      yi[o + 3 * stride] = u3r * sin[3 * w]! + u3i * cos[3 * w]!
      yr[o + 4 * stride] = u4r * cos[4 * w]! - u4i * sin[4 * w]!
      yi[o + 4 * stride] = u4r * sin[4 * w]! + u4i * cos[4 * w]!
    }
  }
}

const butterflies: Readonly<Record<number, Butterfly>> = { 2: radix2, 3: radix3, 4: radix4, 5: radix5 }

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
