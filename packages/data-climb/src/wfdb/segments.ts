import { wfdbErrors } from './errors.ts'
import type { WfdbHeader } from './header.ts'
import { maxClaimedSamples, type WfdbRecord, type WfdbSignal } from './record.ts'

/** Marks what no segment holds where the segments differ in format; outside every storage format but 32. */
const gap = -2147483648

/**
 * Joins the segments of a multi-segment record. A first segment of length 0 is a layout: it names the signals, later
 * segments hold some of them. Otherwise the first segment decides. Signals are matched by name; a segment with another
 * calibration is converted; what no segment holds is missing.
 *
 * @param header the master header
 * @param segments the decoded segments in the header's order; undefined for a gap (`~`)
 * @throws WFDB_BAD_HEADER when no segment names signals or lengths disagree
 * @throws WFDB_TOO_LARGE when the whole exceeds the limit
 */
export function joinSegments(header: WfdbHeader, segments: readonly (WfdbRecord | undefined)[]): WfdbRecord {
  const layout = segments.find(segment => segment !== undefined)
  const fail = (problem: string) => wfdbErrors.BAD_HEADER({ record: header.record, line: 1, problem })
  if (!layout) throw fail('every segment is a gap')
  const frames = header.segments.reduce((sum, segment) => sum + segment.frames, 0)
  if (header.frames > 0 && header.frames !== frames)
    throw fail(`the segments add up to ${frames} samples, not ${header.frames}`)
  const claimed = frames * layout.signals.reduce((sum, signal) => sum + signal.samplesPerFrame, 0)
  if (!(claimed <= maxClaimedSamples))
    throw wfdbErrors.TOO_LARGE({ record: header.record, samples: claimed, limit: maxClaimedSamples })
  const signals = layout.signals.map(signal => {
    const missing = sharedMissingValue(signal.name, segments)
    return { ...signal, missing, digital: new Int32Array(frames * signal.samplesPerFrame).fill(missing) }
  })
  let start = 0
  for (const [i, { frames: length }] of header.segments.entries()) {
    const segment = segments[i]
    if (segment && segment.frames !== length && length > 0)
      throw fail(`segment ${i} has ${segment.frames} samples, not ${length}`)
    if (segment && length > 0) for (const signal of signals) place(signal, segment.signals, start)
    start += length
  }
  const warnings = [...header.warnings, ...segments.flatMap(segment => segment?.warnings ?? [])]
  return {
    record: header.record,
    frameRateHz: header.frameRateHz,
    frames,
    signals,
    comments: header.comments,
    warnings,
  }
}

function sharedMissingValue(name: string, segments: readonly (WfdbRecord | undefined)[]): number {
  const values = new Set(
    segments
      .flatMap(segment => segment?.signals.filter(signal => signal.name === name) ?? [])
      .map(signal => signal.missing),
  )
  const [only] = values
  return values.size === 1 && only !== undefined ? only : gap
}

function place(
  target: WfdbSignal & { readonly missing: number },
  sources: readonly WfdbSignal[],
  startFrame: number,
): void {
  const source = sources.find(signal => signal.name === target.name)
  if (!source || source.samplesPerFrame !== target.samplesPerFrame) return
  const isSameScale = source.gain === target.gain && source.baseline === target.baseline
  const out = target.digital.subarray(startFrame * target.samplesPerFrame)
  for (let i = 0; i < source.digital.length; i++) {
    const sample = source.digital[i]! // bounded by the loop
    if (sample === source.missing) out[i] = target.missing
    else
      out[i] = isSameScale
        ? sample
        : Math.round(((sample - source.baseline) / source.gain) * target.gain + target.baseline)
  }
}
