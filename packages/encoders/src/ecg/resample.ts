import { encodersErrors } from '../errors.ts'
import { fourierTransform } from './fft.ts'

/**
 * Resamples signals of one length as `scipy.signal.resample` does: the spectrum is cut or padded with zeros, so the
 * signal is taken as periodic. Two signals share one complex transform.
 *
 * @param signals each [from] samples
 * @param to samples wanted of each
 * @returns each [to] samples
 * @throws ENCODERS_RESAMPLE_LENGTH when a length is not a whole number above zero
 */
export function resampleFourier(signals: readonly Float32Array[], to: number): Float32Array[] {
  const from = signals[0]?.length ?? 0
  if (signals.length === 0) return []
  if (!(Number.isInteger(to) && to > 0 && from > 0)) throw encodersErrors.RESAMPLE_LENGTH({ from, to })
  if (from === to) return signals.map(signal => signal.slice())
  const spectrum = { re: new Float64Array(from), im: new Float64Array(from) }
  const resized = { re: new Float64Array(to), im: new Float64Array(to) }
  const out: Float32Array[] = []
  for (let pair = 0; pair < signals.length; pair += 2) {
    const [first, second] = [signals[pair]!, signals[pair + 1]] // the last one is alone where the number is odd
    spectrum.re.set(first)
    if (second) spectrum.im.set(second)
    else spectrum.im.fill(0)
    fourierTransform(from).transform(spectrum.re, spectrum.im)
    resizeSpectrum(spectrum.re, resized.re)
    resizeSpectrum(spectrum.im, resized.im)
    fourierTransform(to).transform(resized.im, resized.re) // swapped: the inverse, times `to`
    out.push(scaled(resized.re, 1 / from))
    if (second) out.push(scaled(resized.im, 1 / from))
  }
  return out
}

function scaled(values: Float64Array, factor: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let i = 0; i < out.length; i++) out[i] = values[i]! * factor
  return out
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
