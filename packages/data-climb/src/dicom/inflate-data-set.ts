import { constants, inflateRawSync } from 'node:zlib'
import dicomParser from 'dicom-parser'
import { dataErrors } from '../errors.ts'

/** What is inflated at first to find the size of the pixels; tags before them take kilobytes. */
const firstBytes = 65_536
/** Tags before the pixels may inflate to this much: an enhanced object of 10,000 frames has some 30 MiB. */
const maxTagBytes = 2 ** 28
/** What may follow the pixels. */
const slackBytes = 2 ** 20
const pixelTag = 'x7fe00010'

/**
 * Inflates a deflated data set as far as its own tags allow: its start is inflated to find how long the pixel data claim to
 * be, and that bounds the rest.
 *
 * @throws DATA_DICOM_INVALID when it does not inflate, or inflates to more than its tags claim
 */
export function inflateDataSet(deflated: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(deflated, { maxOutputLength: claimedBytes(deflated) + slackBytes })
  } catch (cause) {
    throw dataErrors.DICOM_INVALID(
      { problem: 'its data set does not inflate, or to more than its tags claim' },
      { cause },
    )
  }
}

function claimedBytes(deflated: Uint8Array): number {
  for (let size = firstBytes; ; size *= 8) {
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
  try {
    const { elements } = dicomParser.parseDicom(start, {
      TransferSyntaxUID: '1.2.840.10008.1.2.1',
      untilTag: pixelTag,
    })
    const pixels = elements[pixelTag]
    return pixels && pixels.dataOffset + pixels.length
  } catch {
    return undefined
  }
}
