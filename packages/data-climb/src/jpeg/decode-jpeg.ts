import { dataErrors } from '../errors.ts'
import { decodeExtendedScan } from './extended-scan.ts'
import { decodeLosslessScan } from './lossless-scan.ts'
import { walkJpeg, type JpegFrame } from './jpeg-stream.ts'

/** A decoded JPEG of the kinds that picture libraries leave out: [height, width, components]. */
export interface JpegSamples {
  readonly width: number
  readonly height: number
  readonly components: number
  readonly precision: number
  readonly samples: Uint16Array
}

const extended = new Set([0, 1])
const lossless = 3

/**
 * Decodes a lossless JPEG (process 14, any predictor, 2 to 16 bits), or a grey sequential one of up to 12 bits.
 *
 * @param maxSamples most samples to make room for
 * @throws DATA_DICOM_INVALID when the stream is malformed, DATA_DICOM_UNSUPPORTED when it is of another kind
 */
export function decodeJpegSamples(bytes: Uint8Array, maxSamples: number): JpegSamples {
  let found: JpegSamples | undefined
  walkJpeg(bytes, scan => {
    found ??= emptySamples(scan.frame, maxSamples)
    return scan.frame.type === lossless
      ? decodeLosslessScan(bytes, scan, found.samples)
      : decodeExtendedScan(bytes, scan, found.samples)
  })
  if (!found) throw dataErrors.DICOM_INVALID({ problem: 'a JPEG frame holds no scan' })
  return found
}

function emptySamples({ type, precision, width, height, components }: JpegFrame, maxSamples: number): JpegSamples {
  const isGrey = components.length === 1
  if (type !== lossless && !(extended.has(type) && isGrey))
    throw dataErrors.DICOM_UNSUPPORTED({
      what: `JPEG process SOF${type} with ${components.length} components of ${precision} bits`,
    })
  if (components.some(({ horizontal, vertical }) => horizontal !== 1 || vertical !== 1) && !isGrey)
    throw dataErrors.DICOM_UNSUPPORTED({ what: 'lossless JPEG with subsampled colours' })
  const count = width * height * components.length
  if (count > maxSamples || precision < 2 || precision > 16)
    throw dataErrors.DICOM_INVALID({ problem: `a JPEG frame claims ${width} x ${height} pixels of ${precision} bits` })
  return { width, height, components: components.length, precision, samples: new Uint16Array(count) }
}
