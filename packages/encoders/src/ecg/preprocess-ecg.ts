import { encodersErrors } from '../errors.ts'
import { resampleFourier } from './resample.ts'

/** A recording in physical units, one array per lead. */
export interface EcgRecording {
  /** Lead names, such as `I`, `II`, `V1`; upper or lower case. */
  readonly leads: readonly string[]
  readonly samplingRateHz: number
  /** Millivolts, all of one length, in the order of `leads`. */
  readonly signalMv: readonly Float32Array[]
}

/** The part of a recording that an encoder sees. */
export interface EcgWindow {
  /** The whole recording is brought to this rate first. */
  readonly rateHz: number
  /** Then its beginning is taken; a shorter recording is followed by zeros. */
  readonly seconds: number
  /** Samples per lead that the window is resampled to. */
  readonly samples: number
}

/** ECG-JEPA's window: 10 s at 250 Hz, by way of 500 Hz as its data code does. */
export const jepaWindow: EcgWindow = { rateHz: 500, seconds: 10, samples: 2500 }

/** The window of the released QoQ-Med code: the first 5 s at 500 Hz. */
export const releaseWindow: EcgWindow = { rateHz: 500, seconds: 5, samples: 2500 }

/** The leads of ECG-JEPA in its order; the other four of a 12-lead recording follow from them by arithmetic. */
export const jepaLeads: readonly string[] = ['I', 'II', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6']

/** How a recording becomes an encoder's input. */
export interface PreprocessEcgOptions {
  /** Default `jepaWindow`. */
  readonly window?: EcgWindow
  /** Leads wanted, in order. Default `jepaLeads`. */
  readonly leads?: readonly string[]
  /** What to do about a lead that is not there. Default `error`. */
  readonly missingLeads?: 'error' | 'zero'
}

/** An encoder's input. */
export interface PreparedEcg {
  /** [leads * samples] millivolts, lead after lead; not normalised. */
  readonly signalMv: Float32Array
  /** Leads that were filled with zeros. */
  readonly missingLeads: readonly string[]
}

/** Most samples per lead that are resampled at once: 4.6 hours at 500 Hz; bounds the memory of the transform. */
const maxSamples = 2 ** 23
const maxRateHz = 100_000

/**
 * Turns a recording into ECG-JEPA's input: leads by name, resampled by FFT, cut or padded to the window, in mV.
 *
 * @throws ENCODERS_ECG_LEAD_MISSING, ENCODERS_ECG_LEAD_TWICE, ENCODERS_ECG_LEAD_LENGTHS, ENCODERS_ECG_SAMPLING_RATE,
 *   ENCODERS_ECG_TOO_LONG, ENCODERS_ECG_NOT_FINITE
 */
export function preprocessEcg(recording: EcgRecording, options: PreprocessEcgOptions = {}): PreparedEcg {
  const { window = jepaWindow, leads = jepaLeads, missingLeads = 'error' } = options
  checkRecording(recording)
  const signals = leads.map(lead => signalOf(recording, lead))
  const missing = leads.filter((_, i) => !signals[i])
  if (missing[0] !== undefined && missingLeads === 'error')
    throw encodersErrors.ECG_LEAD_MISSING({ lead: missing[0], found: recording.leads })
  const signalMv = new Float32Array(leads.length * window.samples)
  const present = signals.flatMap((signal, i) => (signal ? [{ signal, i }] : []))
  const count = windowedCount(recording, window)
  const out = present.map(({ i }) => signalMv.subarray(i * window.samples, i * window.samples + count))
  toWindow(recording, { window, signals: present.map(({ signal }) => signal), out })
  // A sample that is no number spoils its whole lead in a transform, so that one of each tells; without one, all are looked at.
  const isTransformed = count !== recording.signalMv[0]?.length
  if (!isTransformed || out.some(signal => !Number.isFinite(signal[0])))
    for (const { signal, i } of present) checkFinite(leads[i]!, signal) // a lead of each
  return { signalMv, missingLeads: missing }
}

function checkRecording({ leads, signalMv, samplingRateHz }: EcgRecording): void {
  const lengths = signalMv.map(signal => signal.length)
  const samples = lengths[0] ?? 0
  if (leads.length !== signalMv.length || samples === 0 || lengths.some(length => length !== samples))
    throw encodersErrors.ECG_LEAD_LENGTHS({ leads: leads.length, signals: signalMv.length, lengths })
  if (!(samplingRateHz >= 1 && samplingRateHz <= maxRateHz)) throw encodersErrors.ECG_SAMPLING_RATE({ samplingRateHz })
}

function signalOf({ leads, signalMv }: EcgRecording, wanted: string): Float32Array | undefined {
  const name = wanted.toUpperCase()
  const places = leads.flatMap((lead, i) => (lead.trim().toUpperCase() === name ? [i] : []))
  if (places.length > 1) throw encodersErrors.ECG_LEAD_TWICE({ lead: wanted })
  const [place] = places
  if (place === undefined) return undefined
  return signalMv[place]! // checkRecording: one signal per lead
}

function checkFinite(lead: string, signal: Float32Array): void {
  let [first, count] = [-1, 0]
  for (let i = 0; i < signal.length; i++) {
    if (Number.isFinite(signal[i])) continue
    if (count++ === 0) first = i
  }
  if (count > 0) throw encodersErrors.ECG_NOT_FINITE({ lead, sample: first, count })
}

/** Samples of a recording at the window's first rate, truncated as the official code does. */
function samplesAtRate({ signalMv, samplingRateHz }: EcgRecording, { rateHz }: EcgWindow): number {
  return Math.max(1, Math.trunc((rateHz / samplingRateHz) * (signalMv[0]?.length ?? 0)))
}

/** Samples of the window that a recording fills. */
function windowedCount(recording: EcgRecording, window: EcgWindow): number {
  const full = window.rateHz * window.seconds
  const kept = Math.min(samplesAtRate(recording, window), full)
  return Math.max(1, Math.round((kept * window.samples) / full))
}

/** Brings leads to the window; `out` has as many samples as they fill. */
function toWindow(
  recording: EcgRecording,
  {
    window,
    signals,
    out,
  }: { readonly window: EcgWindow; readonly signals: readonly Float32Array[]; readonly out: readonly Float32Array[] },
): void {
  const count = out[0]?.length
  if (count === undefined) return
  const length = signals[0]?.length ?? 0
  const atRate = samplesAtRate(recording, window)
  if (Math.max(length, atRate) > maxSamples)
    throw encodersErrors.ECG_TOO_LONG({ samples: Math.max(length, atRate), limit: maxSamples })
  const full = window.rateHz * window.seconds
  // Uncut, the spectrum passes through the longer stage unchanged: one step gives the same samples.
  const isUncut = atRate <= full && count <= atRate
  const staged = isUncut ? signals : resampleFourier(signals, atRate).map(signal => signal.slice(0, full))
  resampleFourier(staged, count, out)
}
