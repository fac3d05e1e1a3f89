import type { EcgRecording } from '@qoq-med/data-climb'
import { z } from 'zod'
import { serverErrors } from '../errors.ts'
import { requireAtMost, type ServerLimits } from '../limits.ts'

/** An ECG as JSON: samples of every lead by name, at `fs` hertz. */
export const EcgJson = z.strictObject({
  fs: z.number().positive(),
  units: z.enum(['V', 'mV', 'uV', 'µV']),
  leads: z.record(z.string(), z.array(z.number()).min(1)),
})

/** An ECG of a checked body. */
export type EcgJson = z.infer<typeof EcgJson>

const millivolts: Readonly<Record<EcgJson['units'], number>> = { V: 1000, mV: 1, uV: 0.001, µV: 0.001 }

/** Sampling rate that ECG encoders resample to, in hertz. */
const encoderHz = 250

/** Takes an ECG out of JSON. */
export function ecgOfJson({ fs, units, leads }: EcgJson): EcgRecording {
  const factor = millivolts[units]
  return {
    leads: Object.keys(leads),
    samplingRateHz: fs,
    signalMv: Object.values(leads).map(samples => scaled(samples, factor)),
  }
}

/** In a loop of its own: `Float32Array.from` takes eight times as long, and the thread that serves waits. */
function scaled(samples: readonly number[], factor: number): Float32Array {
  const result = new Float32Array(samples.length)
  for (let i = 0; i < samples.length; i++) result[i] = samples[i]! * factor
  return result
}

type EcgLimits = Pick<ServerLimits, 'ecgMinHz' | 'ecgSamples'>

/** Counts the samples of ECGs, as sent and as resampled, before they are touched. @throws SERVER_ECG_RATE, SERVER_LIMIT_EXCEEDED */
export function requireEcgs(ecgs: readonly EcgJson[], limits: EcgLimits): void {
  for (const { fs } of ecgs) requireRate(fs, limits)
  const samples = ecgs.map(({ leads }) => sum(Object.values(leads).map(lead => lead.length)))
  requireAtMost(limits.ecgSamples, sum(samples), 'ECG samples')
  const resampled = ecgs.map(({ fs }, i) => ((samples[i] ?? 0) * encoderHz) / fs)
  requireAtMost(limits.ecgSamples, Math.ceil(sum(resampled)), 'ECG samples after resampling')
}

/** As `requireEcgs`, of decoded recordings. */
export function requireRecordings(ecgs: readonly EcgRecording[], limits: EcgLimits): void {
  for (const { samplingRateHz } of ecgs) requireRate(samplingRateHz, limits)
  const samples = ecgs.flatMap(({ signalMv }) => signalMv.map(lead => lead.length))
  requireAtMost(limits.ecgSamples, sum(samples), 'ECG samples')
}

function requireRate(hertz: number, { ecgMinHz }: EcgLimits): void {
  if (hertz < ecgMinHz) throw serverErrors.ECG_RATE({ found: hertz, least: ecgMinHz })
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
