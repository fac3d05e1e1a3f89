import dicomParser, { type DataSet, type Element } from 'dicom-parser'
import { dataErrors } from '../errors.ts'
import type { DicomFile } from './dicom-file.ts'
import type { FrameShape } from './codecs.ts'

/** The pixel data of a DICOM file cut into frames, still packed. */
export function packedFrames(
  { dataSet, transferSyntax }: DicomFile,
  frames: number,
  shape: FrameShape & { readonly bitsPerPixel: number },
): Uint8Array[] {
  const element = dataSet.elements['x7fe00010']
  if (!element) throw dataErrors.DICOM_NO_PIXELS({})
  if (transferSyntax.codec === 'raw') return rawFrames(dataSet, element, { frames, shape })
  if (!element.encapsulatedPixelData || !element.fragments || element.fragments.length === 0)
    throw dataErrors.DICOM_INVALID({ problem: 'its pixel data are not encapsulated' })
  try {
    return Array.from({ length: frames }, (_, frame) => encapsulatedFrame(dataSet, element, { frame, frames }))
  } catch (cause) {
    throw dataErrors.DICOM_INVALID({ problem: 'its pixel fragments do not add up to its frames' }, { cause })
  }
}

function rawFrames(
  dataSet: DataSet,
  element: Element,
  { frames, shape }: { frames: number; shape: FrameShape & { bitsPerPixel: number } },
): Uint8Array[] {
  const { rows, columns, bitsPerPixel } = shape
  const frameBits = rows * columns * bitsPerPixel
  const needBytes = Math.ceil((frameBits * frames) / 8)
  const start = element.dataOffset
  const have = Math.min(element.length, dataSet.byteArray.length - start)
  if (have < needBytes)
    throw dataErrors.DICOM_INVALID({ problem: `its pixel data have ${have} bytes, its tags claim ${needBytes}` })
  if (bitsPerPixel === 1) return [dataSet.byteArray.subarray(start, start + needBytes)]
  const frameBytes = frameBits / 8
  return Array.from({ length: frames }, (_, i) =>
    dataSet.byteArray.subarray(start + i * frameBytes, start + (i + 1) * frameBytes),
  )
}

function encapsulatedFrame(
  dataSet: DataSet,
  element: Element,
  { frame, frames }: { frame: number; frames: number },
): Uint8Array {
  const fragments = element.fragments ?? []
  if (frames === 1)
    return bytesOf(dicomParser.readEncapsulatedPixelDataFromFragments(dataSet, element, 0, fragments.length))
  if (element.basicOffsetTable && element.basicOffsetTable.length > 0)
    return bytesOf(dicomParser.readEncapsulatedImageFrame(dataSet, element, frame))
  if (fragments.length === frames)
    return bytesOf(dicomParser.readEncapsulatedPixelDataFromFragments(dataSet, element, frame))
  return bytesOf(
    dicomParser.readEncapsulatedImageFrame(
      dataSet,
      element,
      frame,
      dicomParser.createJPEGBasicOffsetTable(dataSet, element),
    ),
  )
}

function bytesOf(bytes: ArrayLike<number>): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes)
}
