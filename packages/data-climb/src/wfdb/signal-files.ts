import type { WfdbHeader } from './header.ts'
import { packedFormats } from './storage-formats.ts'

/**
 * Tells which signal files a header needs, and how many bytes each must have at least (0 where that cannot be known
 * without decoding: FLAC, or a header without a length).
 */
export function signalFileBytes(header: WfdbHeader): Map<string, number> {
  const frameSizes = new Map<string, number>()
  for (const { file, samplesPerFrame } of header.signals)
    if (file !== '~') frameSizes.set(file, (frameSizes.get(file) ?? 0) + samplesPerFrame)
  return new Map(
    [...frameSizes].map(([file, frameSize]) => {
      const first = header.signals.find(signal => signal.file === file)
      const packed = first && packedFormats[first.format]
      return [file, packed && header.frames > 0 ? first.byteOffset + packed.bytes(header.frames * frameSize) : 0]
    }),
  )
}
