import { constants, inflateRawSync } from 'node:zlib'
import { isHintedError } from '@qoq-med/errors'
import dicomParser, { type DataSet } from 'dicom-parser'
import { dataErrors } from '../errors.ts'
import { unsignedValue, wholeValue } from './dicom-values.ts'

/** What is inflated at first to find the size of the pixels; tags before them take kilobytes. */
const firstBytes = 16_384
/** Tags before the pixels may inflate to this much: an enhanced object of 10,000 frames has some 30 MiB. */
const maxTagBytes = 2 ** 26
/** What may follow the pixels, and by how much they may be longer than rows and columns say. */
const slackBytes = 2 ** 24
const pixelTag = 'x7fe00010'

/**
 * Inflates a deflated data set as far as its own tags allow: its start is inflated to find how long the pixel data claim to
 * be, and that bounds the rest.
 *
 * @throws DATA_DICOM_INVALID when it does not inflate, or inflates to more than its tags claim
 */
export function inflateDataSet(deflated: Uint8Array): Uint8Array {
  try {
    const most = claimedBytes(deflated) + slackBytes
    return inflateRawSync(deflated, { maxOutputLength: most, chunkSize: most })
  } catch (cause) {
    if (isHintedError(cause)) throw cause
    throw dataErrors.DICOM_INVALID(
      { problem: 'its data set does not inflate, or to more than its tags claim' },
      { cause },
    )
  }
}

function claimedBytes(deflated: Uint8Array): number {
  for (let size = firstBytes; ; size *= 4) {
    const start = inflateRawSync(deflated.subarray(0, size), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: maxTagBytes,
    })
    const end = pixelsEnd(start)
    if (end !== undefined) return end
    if (size >= deflated.length) return start.length
  }
}

/** Where the pixel data end by their length; undefined when they do not begin in these bytes. */
function pixelsEnd(start: Uint8Array): number | undefined {
  const dataSet = parsed(start)
  const pixels = dataSet?.elements[pixelTag]
  if (!dataSet || !pixels) return undefined
  if (pixels.length > pixelBytes(dataSet) + slackBytes)
    throw dataErrors.DICOM_INVALID({
      problem: `its pixel data claim ${pixels.length} bytes, far more than its rows and columns`,
    })
  return pixels.dataOffset + pixels.length
}

function parsed(start: Uint8Array): DataSet | undefined {
  try {
    return dicomParser.parseDicom(start, { TransferSyntaxUID: '1.2.840.10008.1.2.1', untilTag: pixelTag })
  } catch {
    return undefined
  }
}

/** Bytes of the pixels by rows, columns, samples, bits and frames. */
function pixelBytes(dataSet: DataSet): number {
  const [rows = 0, columns = 0, samples = 1, bits = 8] = ['x00280010', 'x00280011', 'x00280002', 'x00280100'].map(tag =>
    unsignedValue(dataSet, tag),
  )
  return ((rows * columns * samples * bits) / 8) * Math.max(1, wholeValue(dataSet, 'x00280008') ?? 1)
}
