import { decodeFlac } from './flac.ts'
import { wfdbErrors } from './errors.ts'
import type { WfdbHeader } from './header.ts'
import type { WfdbSignalHeader } from './signal-line.ts'
import { alignedInt16, flacBits, missingValue, packedFormats, type StorageFormat } from './storage-formats.ts'

/** One decoded signal with its calibration. */
export interface WfdbSignal {
  readonly name: string
  readonly units: string
  /** Digital units per physical unit. */
  readonly gain: number
  /** Digital value of physical zero. */
  readonly baseline: number
  readonly samplesPerFrame: number
  readonly samplingRateHz: number
  /** [frames * samplesPerFrame] digital samples, skew removed. */
  readonly digital: Int32Array
  /** Digital value that marks a missing sample, or undefined. */
  readonly missing: number | undefined
}

/** A decoded WFDB record. */
export interface WfdbRecord {
  readonly record: string
  readonly frameRateHz: number
  readonly frames: number
  readonly signals: readonly WfdbSignal[]
  /** Comment lines of the header. They may hold patient data: never log them. */
  readonly comments: readonly string[]
  /** What was tolerated, in words. */
  readonly warnings: readonly string[]
}

/** Most samples a record may claim without bytes behind them (FLAC, gaps): 1 GiB of int32, 15 days of 12 leads at 16 Hz. */
export const maxClaimedSamples: number = 2 ** 28

/**
 * Decodes the signals of a single-segment record.
 *
 * @param header from `parseWfdbHeader`
 * @param files the bytes of every file the header names, by name
 * @throws WFDB_FILE_MISSING, WFDB_TRUNCATED, WFDB_TOO_LARGE, WFDB_BAD_FLAC or WFDB_BAD_HEADER
 */
export function decodeWfdb(header: WfdbHeader, files: ReadonlyMap<string, Uint8Array>): WfdbRecord {
  const warnings = [...header.warnings]
  const groups = groupByFile(header)
  const frames = header.frames > 0 ? header.frames : framesOnDisk(header, groups, files)
  const signals = new Map<WfdbSignalHeader, Int32Array>()
  for (const group of groups) decodeGroup(group, { header, frames, files, signals })
  for (const [i, signal] of header.signals.entries()) {
    const digital = signals.get(signal)
    if (digital && signal.checksum !== undefined && sum16(digital) !== (signal.checksum & 0xffff))
      warnings.push(`signal ${i} does not match the checksum of its header`)
  }
  return {
    record: header.record,
    frameRateHz: header.frameRateHz,
    frames,
    comments: header.comments,
    warnings,
    signals: header.signals.map((signal, i) => ({
      name: signal.description || `signal ${i}`,
      units: signal.units,
      gain: signal.gain,
      baseline: signal.baseline,
      samplesPerFrame: signal.samplesPerFrame,
      samplingRateHz: header.frameRateHz * signal.samplesPerFrame,
      digital: signals.get(signal)!, // every signal is in a group, and every group is decoded above
      missing: missingValue(signal.format),
    })),
  }
}

interface FileGroup {
  readonly file: string
  readonly format: StorageFormat
  readonly byteOffset: number
  readonly signals: readonly WfdbSignalHeader[]
  /** Samples of all signals in one frame. */
  readonly frameSize: number
  readonly maxSkew: number
}

function groupByFile(header: WfdbHeader): FileGroup[] {
  const byFile = new Map<string, WfdbSignalHeader[]>()
  for (const signal of header.signals) byFile.set(signal.file, [...(byFile.get(signal.file) ?? []), signal])
  return [...byFile].map(([file, signals]) => {
    const [first] = signals as [WfdbSignalHeader] // a group has at least the signal that opened it
    if (file !== '~' && signals.some(signal => signal.format !== first.format))
      throw wfdbErrors.BAD_HEADER({ record: header.record, line: 1, problem: `file ${file} has two storage formats` })
    return {
      file,
      format: first.format,
      byteOffset: first.byteOffset,
      signals,
      frameSize: signals.reduce((sum, signal) => sum + signal.samplesPerFrame, 0),
      maxSkew: Math.max(...signals.map(signal => signal.skewFrames)),
    }
  })
}

function framesOnDisk(
  header: WfdbHeader,
  groups: readonly FileGroup[],
  files: ReadonlyMap<string, Uint8Array>,
): number {
  const counts = groups.map(group => {
    const packed = packedFormats[group.format]
    const bytes = files.get(group.file)
    if (!packed || !bytes) return 0
    return Math.floor(packed.samples(Math.max(0, bytes.length - group.byteOffset)) / group.frameSize) - group.maxSkew
  })
  const frames = Math.min(...counts)
  if (frames > 0) return frames
  throw wfdbErrors.BAD_HEADER({
    record: header.record,
    line: 1,
    problem: 'the number of samples is neither given nor in the files',
  })
}

interface Decoding {
  readonly header: WfdbHeader
  readonly frames: number
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly signals: Map<WfdbSignalHeader, Int32Array>
}

function decodeGroup(group: FileGroup, decoding: Decoding): void {
  const { header, frames, files, signals } = decoding
  const isBacked = group.file !== '~' && packedFormats[group.format] !== undefined
  const claimed = frames * group.frameSize
  if (!Number.isSafeInteger(claimed) || (!isBacked && claimed > maxClaimedSamples))
    throw wfdbErrors.TOO_LARGE({ record: header.record, samples: claimed, limit: maxClaimedSamples })
  if (group.file === '~') {
    for (const signal of group.signals) signals.set(signal, absent(frames * signal.samplesPerFrame, signal.format))
    return
  }
  const bytes = files.get(group.file)
  if (!bytes) throw wfdbErrors.FILE_MISSING({ record: header.record, file: group.file })
  const decoded = isBacked ? unpackGroup(group, bytes, decoding) : unpackFlac(group, bytes, decoding)
  for (const [i, signal] of group.signals.entries()) {
    const available = decoded[i]! // one array per signal
    signals.set(signal, align(available, signal, frames))
  }
}

/** Removes the skew and pads what it leaves open with missing samples. */
function align(available: Int32Array, signal: WfdbSignalHeader, frames: number): Int32Array {
  const length = frames * signal.samplesPerFrame
  const start = signal.skewFrames * signal.samplesPerFrame
  if (start === 0 && available.length === length) return available
  const aligned = absent(length, signal.format)
  aligned.set(available.subarray(start, start + length))
  return aligned
}

function absent(length: number, format: StorageFormat): Int32Array {
  return new Int32Array(length).fill(missingValue(format) ?? 0)
}

function unpackGroup(group: FileGroup, bytes: Uint8Array, { header, frames }: Decoding): Int32Array[] {
  const packed = packedFormats[group.format]! // isBacked says that it is there
  const needBytes = group.byteOffset + packed.bytes(frames * group.frameSize)
  if (bytes.length < needBytes)
    throw wfdbErrors.TRUNCATED({ record: header.record, file: group.file, needBytes, haveBytes: bytes.length })
  const framesInFile = Math.floor(packed.samples(bytes.length - group.byteOffset) / group.frameSize)
  const stored = Math.max(frames, Math.min(frames + group.maxSkew, framesInFile))
  const view = new DataView(bytes.buffer, bytes.byteOffset + group.byteOffset)
  const interleaved =
    (group.format === '16' ? alignedInt16(view, stored * group.frameSize) : undefined) ??
    unpacked(packed.unpack, view, stored * group.frameSize)
  const separate = group.signals.map(signal => new Int32Array(stored * signal.samplesPerFrame))
  let offset = 0
  for (const [i, { samplesPerFrame, format, initialValue }] of group.signals.entries()) {
    const out = separate[i]! // one per signal
    takeApart(interleaved, out, { offset, samplesPerFrame, frameSize: group.frameSize })
    if (format === '8') accumulate(out, initialValue)
    offset += samplesPerFrame
  }
  return separate
}

function unpacked(unpack: (view: DataView, out: Int32Array) => void, view: DataView, samples: number): Int32Array {
  const out = new Int32Array(samples)
  unpack(view, out)
  return out
}

/** Copies one signal out of interleaved frames; one sample per frame is the usual case and has a loop of its own. */
function takeApart(
  interleaved: Int32Array | Int16Array,
  out: Int32Array,
  {
    offset,
    samplesPerFrame,
    frameSize,
  }: { readonly offset: number; readonly samplesPerFrame: number; readonly frameSize: number },
): void {
  if (samplesPerFrame === 1) {
    for (let to = 0, from = offset; to < out.length; to++, from += frameSize) out[to] = interleaved[from]! // one per frame
    return
  }
  for (let to = 0, frame = offset; to < out.length; frame += frameSize)
    for (let k = 0; k < samplesPerFrame; k++) out[to++] = interleaved[frame + k]! // samplesPerFrame per frame
}

function accumulate(differences: Int32Array, initialValue: number): void {
  let value = initialValue
  for (let i = 0; i < differences.length; i++) differences[i] = value += differences[i]! // bounded by the loop
}

function unpackFlac(group: FileGroup, bytes: Uint8Array, { header, frames }: Decoding): Int32Array[] {
  const perFrame = group.signals[0]?.samplesPerFrame ?? 1
  if (group.signals.some(signal => signal.samplesPerFrame !== perFrame))
    throw wfdbErrors.BAD_FLAC({ problem: 'its signals differ in samples per frame' })
  const { channels, bitsPerSample } = decodeFlac(bytes, (frames + group.maxSkew) * perFrame)
  if (channels.length !== group.signals.length || bitsPerSample !== flacBits[group.format])
    throw wfdbErrors.BAD_FLAC({
      problem: `it has ${channels.length} channels of ${bitsPerSample} bits, the header claims ${group.signals.length} of ${flacBits[group.format]}`,
    })
  const have = channels[0]?.length ?? 0
  if (have < frames * perFrame)
    throw wfdbErrors.TRUNCATED({
      record: header.record,
      file: group.file,
      needBytes: frames * perFrame * channels.length * 4,
      haveBytes: have * channels.length * 4,
    })
  return [...channels]
}

function sum16(samples: Int32Array): number {
  let sum = 0
  for (let i = 0; i < samples.length; i++) sum = (sum + samples[i]!) | 0 // bounded by the loop; the low 16 bits survive
  return sum & 0xffff
}
