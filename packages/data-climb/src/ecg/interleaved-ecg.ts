import type { StoredEcg } from './stored-ecg.ts'
import type { WfdbHeader } from '../wfdb/header.ts'
import { alignedInt16, missingValue } from '../wfdb/storage-formats.ts'

/**
 * Gives the leads of the usual record as they lie in its file: one file of 16-bit samples, one per lead and frame. Taking them
 * apart would cost as much as reading them.
 *
 * @returns undefined for any other record, and for one that is cut off, which `decodeWfdb` refuses
 */
export function interleavedEcg(header: WfdbHeader, files: ReadonlyMap<string, Uint8Array>): StoredEcg | undefined {
  const { signals, frames, frameRateHz } = header
  const [first] = signals
  const bytes = first && files.get(first.file)
  const isUsual = signals.every(
    ({ file, format, samplesPerFrame, skewFrames, byteOffset }) =>
      file === first?.file &&
      format === '16' &&
      samplesPerFrame === 1 &&
      skewFrames === 0 &&
      byteOffset === first.byteOffset,
  )
  const stride = signals.length
  if (!first || !bytes || !isUsual || frames === 0) return undefined
  if (bytes.length < first.byteOffset + frames * stride * 2) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + first.byteOffset)
  const samples = alignedInt16(view, frames * stride)
  if (!samples) return undefined
  return {
    leads: signals.map(({ description, units, gain, baseline, checksum }, offset) => ({
      name: description || `signal ${offset}`,
      units,
      scale: 1 / gain,
      zero: baseline,
      samplingRateHz: frameRateHz,
      samples,
      interleaved: { offset, stride },
      missing: missingValue('16'),
      checksum: checksum === undefined ? undefined : checksum & 0xffff,
    })),
    warnings: header.warnings,
  }
}
