import type { WfdbRecord, WfdbSignal } from './record.ts'

/**
 * Converts a signal's samples into its physical unit: (digital - baseline) / gain.
 *
 * @returns [samples] values in `signal.units`; NaN where a sample is missing
 */
export function physicalSignal(signal: WfdbSignal): Float64Array {
  const { digital, gain, baseline, missing } = signal
  const physical = new Float64Array(digital.length)
  for (let i = 0; i < digital.length; i++) {
    const sample = digital[i]! // bounded by the loop
    physical[i] = sample === missing ? Number.NaN : (sample - baseline) / gain
  }
  return physical
}

/**
 * Reduces signals with several samples per frame to one: the mean of the digital samples, cut towards zero, as the
 * reference reader (wfdb-python) gives it. A frame is missing when all its samples are; a partly missing frame is the
 * mean of its codes, so prefer the full-rate signal where gaps matter.
 *
 * @returns a record in which every signal has `frames` samples
 */
export function smoothFrames(record: WfdbRecord): WfdbRecord {
  const signals = record.signals.map(signal =>
    signal.samplesPerFrame === 1
      ? signal
      : { ...signal, digital: frameMeans(signal), samplesPerFrame: 1, samplingRateHz: record.frameRateHz },
  )
  return { ...record, signals }
}

function frameMeans({ digital, samplesPerFrame }: WfdbSignal): Int32Array {
  const means = new Int32Array(digital.length / samplesPerFrame)
  for (let frame = 0, at = 0; frame < means.length; frame++) {
    let sum = 0
    for (let k = 0; k < samplesPerFrame; k++) sum += digital[at++]! // bounded by both loops
    means[frame] = Math.trunc(sum / samplesPerFrame)
  }
  return means
}
