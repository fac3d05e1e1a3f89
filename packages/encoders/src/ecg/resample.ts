import { encodersErrors } from '../errors.ts'
import { fourierTransform } from './fft.ts'

/**
 * Resamples signals of one length as `scipy.signal.resample` does: the spectrum is cut or padded with zeros, so the
 * signal is taken as periodic. Two signals share one complex transform.
 *
 * @param signals each [from] samples
 * @param to samples wanted of each
 * @param out where they go, each [to]; new arrays where it is missing
 * @returns `out`
 * @throws ENCODERS_RESAMPLE_LENGTH when a length is not a whole number above zero
 */
export function resampleFourier(
  signals: readonly Float32Array[],
  to: number,
  out: readonly Float32Array[] = signals.map(() => new Float32Array(to > 0 ? to : 0)),
): readonly Float32Array[] {
  const from = signals[0]?.length ?? 0
  if (signals.length === 0) return out
  if (!(Number.isInteger(to) && to > 0 && from > 0)) throw encodersErrors.RESAMPLE_LENGTH({ from, to })
  if (from === to) signals.forEach((signal, i) => out[i]!.set(signal)) // one each
  else if (from === 2 * to) halve(signals, out)
  else resample(signals, out)
  return out
}

function resample(signals: readonly Float32Array[], out: readonly Float32Array[]): void {
  const [from, to] = [signals[0]!.length, out[0]!.length] // one at least
  const spectrum = { re: new Float64Array(from), im: new Float64Array(from) }
  const resized = { re: new Float64Array(to), im: new Float64Array(to) }
  for (let pair = 0; pair < signals.length; pair += 2) {
    const [first, second] = [signals[pair]!, signals[pair + 1]] // the last one is alone where the number is odd
    spectrum.re.set(first)
    if (second) spectrum.im.set(second)
    else spectrum.im.fill(0)
    fourierTransform(from).transform(spectrum.re, spectrum.im)
    resizeSpectrum(spectrum.re, resized.re)
    resizeSpectrum(spectrum.im, resized.im)
    fourierTransform(to).transform(resized.im, resized.re) // swapped: the inverse, times `to`
    scale(resized.re, 1 / from, out[pair]!)
    if (second) scale(resized.im, 1 / from, out[pair + 1]!)
  }
}

/**
 * Halves the rate, as the usual 500 Hz to 250 Hz. With E and O the spectra of the even and the odd samples, the kept half of
 * the spectrum is E[k] + exp(-2πik / from) O[k]; so the even samples stay as they are, and the odd ones are moved by half a
 * sample: transforms of half the length, and of half the samples.
 */
function halve(signals: readonly Float32Array[], out: readonly Float32Array[]): void {
  const to = out[0]!.length // one at least
  const plan = fourierTransform(to)
  const shift = halfSample(to)
  const { re, im } = shift
  for (let pair = 0; pair < signals.length; pair += 2) {
    const [first, second] = [signals[pair]!, signals[pair + 1]] // the last one is alone where the number is odd
    takeOdd(first, re)
    if (second) takeOdd(second, im)
    else im.fill(0)
    plan.transform(re, im)
    turn(re, im, shift)
    plan.transform(im, re) // swapped: the inverse, times `to`
    interpolate(first, re, out[pair]!)
    if (second) interpolate(second, im, out[pair + 1]!)
  }
}

function takeOdd(signal: Float32Array, out: Float64Array): void {
  for (let i = 0, at = 1; i < out.length; i++, at += 2) out[i] = signal[at]! // twice as many samples
}

/** Multiplies each complex number by one of length one. */
function turn(re: Float64Array, im: Float64Array, { cos, sin }: HalfSample): void {
  for (let k = 0; k < re.length; k++) {
    const real = re[k]!
    const imaginary = im[k]!
    re[k] = real * cos[k]! - imaginary * sin[k]!
    im[k] = real * sin[k]! + imaginary * cos[k]!
  }
}

/**
 * The mean of the even samples and the moved odd ones. The Nyquist frequency of the result stands twice in the spectrum, as
 * `scipy.signal.resample` has it: there the odd samples cancel, and the even ones count twice.
 */
function interpolate(signal: Float32Array, moved: Float64Array, out: Float32Array): void {
  const factor = 1 / signal.length
  const nyquist = out.length % 2 === 0 ? alternatingSum(signal) * factor : 0
  for (let i = 0; i < out.length; i += 2) out[i] = signal[2 * i]! * 0.5 + moved[i]! * factor + nyquist
  for (let i = 1; i < out.length; i += 2) out[i] = signal[2 * i]! * 0.5 + moved[i]! * factor - nyquist
}

/** The even samples with alternating signs, of a signal whose length is a multiple of four. */
function alternatingSum(signal: Float32Array): number {
  let plus = 0
  let minus = 0
  for (let at = 0; at < signal.length; at += 4) {
    plus += signal[at]!
    minus += signal[at + 2]!
  }
  return plus - minus
}

/** What the halving to one length needs: exp(-2πik / (2 length)) for frequencies k from -length / 2, and room to work in. */
interface HalfSample {
  readonly cos: Float64Array
  readonly sin: Float64Array
  readonly re: Float64Array
  readonly im: Float64Array
}

/** A data set has one length. */
let lastHalfSample: HalfSample | undefined

/** At the Nyquist frequency the shift is zero: its two places cancel. */
function halfSample(length: number): HalfSample {
  if (lastHalfSample?.cos.length === length) return lastHalfSample
  const cos = new Float64Array(length)
  const sin = new Float64Array(length)
  for (let k = 0; k < length; k++) {
    if (2 * k === length) continue
    const angle = (-Math.PI * (2 * k < length ? k : k - length)) / length
    cos[k] = Math.cos(angle)
    sin[k] = Math.sin(angle)
  }
  return (lastHalfSample = { cos, sin, re: new Float64Array(length), im: new Float64Array(length) })
}

function scale(values: Float64Array, factor: number, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = values[i]! * factor
}

/** Keeps the frequencies both lengths have; the Nyquist frequency of the shorter, if any, is joined or split. */
function resizeSpectrum(source: Float64Array, target: Float64Array): void {
  const shorter = Math.min(source.length, target.length)
  const positive = Math.floor(shorter / 2) + 1
  const negative = shorter - positive
  target.fill(0)
  target.set(source.subarray(0, positive))
  if (negative > 0) target.set(source.subarray(source.length - negative), target.length - negative)
  if (shorter % 2 !== 0) return
  const nyquist = shorter / 2
  if (target.length < source.length) target[nyquist] = target[nyquist]! + source[source.length - nyquist]!
  else {
    target[nyquist] = target[nyquist]! / 2
    target[target.length - nyquist] = target[nyquist]!
  }
}
